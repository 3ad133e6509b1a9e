// SPDX-License-Identifier: MIT
#include "how_many_snakes/sample.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include "how_many_snakes/in_quotes.hpp"

namespace snakes {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_folder(const fs::path& folder, const std::string& reason) {
  throw std::runtime_error("cannot read folder " + in_quotes(folder.native()) + ": " + reason +
                           "; name a folder with files in it");
}

class Walk {
 public:
  explicit Walk(const fs::path& folder) {
    struct stat root{};
    if (::stat(folder.c_str(), &root) != 0) {
      refuse_folder(folder, std::generic_category().message(errno));
    }
    if (!S_ISDIR(root.st_mode)) refuse_folder(folder, "it is no folder");
    file_system_ = root.st_dev;
    if (!enter(folder)) refuse_folder(folder, "permission denied");
  }

  Found run() && {
    while (!folders_.empty()) {
      const fs::path folder = std::move(folders_.back());
      folders_.pop_back();
      if (!enter(folder)) ++found_.unreadable;
    }
    return std::move(found_);
  }

 private:
  // False when the folder cannot be read, or not to its end.
  bool enter(const fs::path& folder) {
    std::error_code failure;
    for (fs::directory_iterator entry(folder, failure);
         !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
      visit(entry->path());
    }
    return !failure;
  }

  void visit(const fs::path& path) {
    struct stat it{};
    if (::lstat(path.c_str(), &it) != 0) return;  // gone meanwhile
    if (S_ISDIR(it.st_mode)) {
      if (it.st_dev == file_system_) {
        folders_.push_back(path);
      } else {
        ++found_.other_systems;
      }
    } else if (S_ISREG(it.st_mode)) {
      if (::access(path.c_str(), R_OK) == 0) {
        found_.files.push_back({path.string(), static_cast<std::uint64_t>(it.st_size)});
      } else {
        ++found_.unreadable;
      }
    }
  }

  dev_t file_system_{};
  std::vector<fs::path> folders_;
  Found found_;
};

// FNV-1a, then the finalizer of splitmix64, whose high bits are as good as any.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
  return hash ^ (hash >> 31);
}

struct Candidate {
  bool is_large;
  std::uint64_t hash;
  File file;
  friend bool operator<(const Candidate& one, const Candidate& other) {
    return std::tie(one.is_large, one.hash, one.file.path) <
           std::tie(other.is_large, other.hash, other.file.path);
  }
};

// The path below the folder, which may have been named with a slash at its end.
std::string_view inner_path(const File& file, const fs::path& folder) {
  std::string_view path = file.path;
  path.remove_prefix(folder.native().size());
  while (path.starts_with('/')) path.remove_prefix(1);
  return path;
}

std::vector<Candidate> candidates_of(std::vector<File>&& files, const fs::path& folder,
                                     std::uint64_t large) {
  std::vector<Candidate> candidates;
  candidates.reserve(files.size());
  for (File& file : files) {
    const std::uint64_t hash = hash_of(inner_path(file, folder));
    candidates.push_back({file.size > large, hash, std::move(file)});
  }
  std::sort(candidates.begin(), candidates.end());
  return candidates;
}

bool is_larger(const File& one, const File& other) {
  return one.size != other.size ? one.size > other.size : one.path < other.path;
}

}  // namespace

std::uint64_t bytes_of(const std::vector<File>& files) {
  std::uint64_t bytes = 0;
  for (const File& file : files) bytes += file.size;
  return bytes;
}

Found walk(const fs::path& folder) { return Walk(folder).run(); }

std::vector<File> take_sample(std::vector<File> files, const fs::path& folder,
                              const Bounds& bounds) {
  std::vector<File> taken;
  std::uint64_t left = bounds.bytes;
  for (Candidate& candidate : candidates_of(std::move(files), folder, bounds.bytes / 8)) {
    if (taken.size() == bounds.files) break;
    if (candidate.file.size > left) continue;
    left -= candidate.file.size;
    taken.push_back(std::move(candidate.file));
  }
  std::sort(taken.begin(), taken.end(), is_larger);
  return taken;
}

}  // namespace snakes
