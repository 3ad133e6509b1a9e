// SPDX-License-Identifier: MIT
//
// How many workers do you need? Measured on real files: for each its SHA-256 and
// its zlib-compressed size, serially, then on pools of 1 .. N threads and
// processes. With --hostile some files bring their worker down for real.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <openssl/evp.h>
#include <unistd.h>
#include <zlib.h>

#include <CLI/CLI.hpp>
#include <brood/brood.hpp>

#include "snake_plot.hpp"

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Digest {
  std::string sha256;  // hexadecimal
  std::uint64_t size = 0;
  std::uint64_t compressed = 0;
  friend bool operator==(const Digest&, const Digest&) = default;
};

struct Options {
  std::string folder = "/usr/lib";
  bool hostile = false;
  std::size_t workers = 0;
  std::uint64_t limit_in_mib = 120;
  std::string plot = "how_many_snakes.svg";
  std::string digests;
};

std::string hexadecimal(const unsigned char* bytes, unsigned count) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < count; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

// The work: OpenSSL and zlib over one file.
Digest examine(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read file '" + path + "'");
  EVP_MD_CTX* const hash = EVP_MD_CTX_new();
  EVP_DigestInit_ex(hash, EVP_sha256(), nullptr);
  z_stream deflater{};
  deflateInit(&deflater, 6);
  Digest digest;
  std::vector<char> block(1 << 16);
  std::vector<unsigned char> packed(1 << 16);
  bool last = false;
  while (!last) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    const auto count = static_cast<std::size_t>(file.gcount());
    last = count < block.size();
    digest.size += count;
    EVP_DigestUpdate(hash, block.data(), count);
    deflater.next_in = reinterpret_cast<Bytef*>(block.data());
    deflater.avail_in = static_cast<uInt>(count);
    do {
      deflater.next_out = packed.data();
      deflater.avail_out = static_cast<uInt>(packed.size());
      deflate(&deflater, last ? Z_FINISH : Z_NO_FLUSH);
      digest.compressed += packed.size() - deflater.avail_out;
    } while (deflater.avail_out == 0);
  }
  deflateEnd(&deflater);
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned length = 0;
  EVP_DigestFinal_ex(hash, bytes.data(), &length);
  EVP_MD_CTX_free(hash);
  digest.sha256 = hexadecimal(bytes.data(), length);
  return digest;
}

// What a hostile file makes of its worker.
enum class Fate { fine, segfault, endless_loop, memory_bomb };

Digest examine_hostile(const std::pair<std::string, Fate>& file) {
  switch (file.second) {
    case Fate::fine: break;
    case Fate::segfault:
      for (volatile int* volatile nowhere = nullptr;;) *nowhere = 1;
    case Fate::endless_loop:
      for (volatile bool on = true; on;) {
      }
      break;
    case Fate::memory_bomb:
      for (std::vector<std::string> hoard;;) hoard.emplace_back(std::size_t{16} << 20, 'x');
  }
  return examine(file.first);
}

// Regular files below the folder, in the order of their paths, up to the limit.
std::vector<std::string> sample(const Options& options) {
  if (!fs::is_directory(options.folder)) {
    throw std::runtime_error("cannot read folder '" + options.folder +
                             "': it's no folder; name one with files in it");
  }
  std::vector<std::string> all;
  const auto quietly = fs::directory_options::skip_permission_denied;
  for (auto at = fs::recursive_directory_iterator(options.folder, quietly);
       at != fs::recursive_directory_iterator(); ++at) {
    std::error_code unreadable;
    if (at->is_symlink(unreadable) || !at->is_regular_file(unreadable)) continue;
    if (::access(at->path().c_str(), R_OK) == 0) all.push_back(at->path().string());
  }
  std::sort(all.begin(), all.end());
  std::uint64_t bytes = 0;
  std::vector<std::string> files;
  for (auto& path : all) {
    std::error_code gone;
    const auto size = fs::file_size(path, gone);
    if (gone || bytes + size > options.limit_in_mib * brood::MiB) continue;
    bytes += size;
    files.push_back(std::move(path));
  }
  if (files.empty()) {
    throw std::runtime_error("cannot find a file in folder '" + options.folder +
                             "' that can be read; name another");
  }
  return files;
}

double seconds_of(const auto& work) {
  const auto since = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - since).count();
}

struct Row {
  std::string context;
  std::size_t workers;
  double seconds;
};

void print_table(const std::vector<Row>& rows, double serial, double megabytes) {
  std::cout << "context    workers   wall s  speedup  efficiency     MB/s\n" << std::fixed;
  for (const Row& row : rows) {
    const double speedup = serial / row.seconds;
    std::cout << std::left << std::setw(10) << row.context << std::right << std::setw(8)
              << row.workers << std::setw(9) << std::setprecision(2) << row.seconds << std::setw(9)
              << speedup << std::setw(11) << std::setprecision(0)
              << 100 * speedup / static_cast<double>(row.workers) << " %" << std::setw(9)
              << std::setprecision(1) << megabytes / row.seconds << '\n';
  }
}

// The last count of workers whose predecessor was worse by 5 % at least.
std::size_t enough(const std::vector<Row>& rows, const std::string& context) {
  std::size_t best = 1;
  double before = 0;
  for (const Row& row : rows) {
    if (row.context != context) continue;
    if (before != 0 && row.seconds > 0.95 * before) break;
    best = row.workers;
    before = row.seconds;
  }
  return best;
}

std::vector<Digest> run(const std::vector<std::string>& files, brood::Context context,
                        std::size_t workers, double& seconds) {
  std::vector<Digest> found;
  brood::Pool pool{{.processes = workers, .context = context}};
  seconds = seconds_of([&] { found = pool.map({.progress = true}, examine, files); });
  return found;
}

int measure(const Options& options, const std::vector<std::string>& files) {
  std::vector<Digest> expected;
  const double serial = seconds_of([&] {
    for (const auto& path : files) expected.push_back(examine(path));
  });
  std::uint64_t bytes = 0;
  for (const Digest& digest : expected) bytes += digest.size;
  const double megabytes = static_cast<double>(bytes) / 1e6;
  std::cout << files.size() << " files, " << std::fixed << std::setprecision(1) << megabytes
            << " MB below " << options.folder << "\n\n";

  std::vector<Row> rows{{"serial", 1, serial}};
  const std::map<std::string, brood::Context> contexts{{"threads", brood::Context::thread},
                                                       {"processes", brood::Context::forkserver}};
  for (const auto& [name, context] : contexts) {
    for (std::size_t workers = 1; workers <= options.workers; ++workers) {
      double seconds = 0;
      if (run(files, context, workers, seconds) != expected) {
        std::cerr << "the results of " << workers << ' ' << name
                  << " differ from the serial ones\n";
        return 1;
      }
      rows.push_back({name, workers, seconds});
    }
  }
  print_table(rows, serial, megabytes);
  const std::size_t needed = enough(rows, "processes");
  std::cout << "\nYou need " << needed << (needed == 1 ? " worker" : " workers")
            << ": one more gains less than 5 %. This program may use " << brood::cpu_count()
            << " CPUs, and the work is all computation.\n";

  std::vector<snakes::Point> points;
  for (const Row& row : rows) points.push_back({row.context, row.workers, serial / row.seconds});
  snakes::write_plot(options.plot, points);
  std::cout << "Plot: " << options.plot << '\n';
  if (!options.digests.empty()) {
    std::ofstream out(options.digests);
    for (std::size_t i = 0; i < files.size(); ++i) {
      out << expected[i].sha256 << "  " << files[i] << '\n';
    }
  }
  return 0;
}

// Three files, spread over the sample, are hostile; all others must come out as
// they do serially.
int survive(const Options& options, const std::vector<std::string>& files) {
  std::vector<std::pair<std::string, Fate>> items;
  for (const auto& path : files) items.emplace_back(path, Fate::fine);
  const std::size_t count = items.size();
  const std::map<std::size_t, Fate> hostile{{count / 4, Fate::segfault},
                                            {count / 2, Fate::endless_loop},
                                            {3 * count / 4, Fate::memory_bomb}};
  for (const auto& [place, fate] : hostile) items[place].second = fate;

  brood::Pool pool{{.processes = options.workers, .memory_limit = 512 * brood::MiB}};
  const auto outcomes = pool.map_outcomes({.timeout = std::chrono::seconds(5), .progress = true},
                                          examine_hostile, items);
  std::size_t failed = 0;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (outcomes[i].has_value()) {
      if (*outcomes[i] != examine(files[i])) ++wrong;
      continue;
    }
    ++failed;
    try {
      outcomes[i].value();
    } catch (const std::exception& cause) {
      std::cout << files[i] << ": " << cause.what() << '\n';
    }
  }
  std::cout << count - failed << " files done, " << failed << " failed, " << wrong
            << " results differ from the serial ones\n";
  return failed == hostile.size() && wrong == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  brood::init(argc, argv);
  Options options;
  options.workers = 2 * brood::cpu_count();
  CLI::App app{"How many workers do you need? Measured on the files below a folder."};
  app.add_option("folder", options.folder, "Folder whose files are digested")
      ->capture_default_str();
  app.add_flag("--hostile", options.hostile, "Some files crash, hang or devour memory");
  app.add_option("--workers", options.workers, "The most workers")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--limit", options.limit_in_mib, "Bytes to digest in all, in MiB")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--svg", options.plot, "Where the plot goes")->capture_default_str();
  app.add_option("--digests", options.digests, "Where digests go, as sha256sum -c reads them");
  CLI11_PARSE(app, argc, argv);
  try {
    const auto files = sample(options);
    return options.hostile ? survive(options, files) : measure(options, files);
  } catch (const std::exception& error) {
    std::cerr << "how_many_snakes: " << error.what() << '\n';
    return 2;
  }
}
