// SPDX-License-Identifier: MIT
#include "how_many_snakes/runs.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>

#include "how_many_snakes/in_quotes.hpp"
#include "how_many_snakes/terminal.hpp"

namespace snakes {
namespace {

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - since_).count();
  }

 private:
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

struct Close {
  void operator()(std::FILE* stream) const { std::fclose(stream); }
};

// What cannot be read is found out, and named, by the run itself.
void read_once(const std::vector<File>& files) {
  std::vector<char> block(std::size_t{1} << 20);
  for (const File& file : files) {
    const std::unique_ptr<std::FILE, Close> stream(std::fopen(file.path.c_str(), "rbe"));
    if (!stream) continue;
    while (std::fread(block.data(), 1, block.size(), stream.get()) == block.size()) {
    }
  }
}

void digest_one(const File& file, Baseline& baseline) {
  const Stopwatch watch;
  try {
    baseline.digests.push_back(digest_of(file));
    baseline.files.push_back(file);
    baseline.longest_seconds = std::max(baseline.longest_seconds, watch.seconds());
  } catch (const std::exception& failure) {
    baseline.failures.emplace_back(failure.what());
  }
}

bool has_changed(const Baseline& baseline, std::size_t file) {
  try {
    return digest_of(baseline.files[file]) != baseline.digests[file];
  } catch (const std::exception&) {
    return true;
  }
}

}  // namespace

Baseline run_serially(const std::vector<File>& files) {
  read_once(files);
  Caption caption("serial");
  Bar bar(bytes_of(files));
  Baseline baseline;  // its watch begins here
  const Stopwatch watch;
  for (const File& file : files) {
    digest_one(file, baseline);
    bar.add(file.size);
  }
  baseline.seconds = watch.seconds();
  bar.finish();
  caption.clear();
  return baseline;
}

Run run_on_pool(const std::vector<File>& files, Kind kind, std::size_t workers) {
  Caption caption(std::string(to_string(kind)) + ", " + std::to_string(workers) +
                  (workers == 1 ? " worker" : " workers"));
  const Stopwatch watch;
  brood::Pool pool{
      {.processes = workers,
       .context = kind == Kind::threads ? brood::Context::thread : brood::Context::forkserver}};
  Run run;
  run.outcomes = pool.map_outcomes({.progress = true}, digest_of, files);
  run.seconds = watch.seconds();
  caption.clear();
  return run;
}

Differences differences(const Baseline& baseline, const Outcomes& outcomes) {
  Differences found;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i] && *outcomes[i] == baseline.digests[i]) continue;
    if (has_changed(baseline, i)) {
      found.changed.push_back(i);
    } else {
      found.wrong.push_back(
          in_quotes(baseline.files[i].path) + ": " +
          (outcomes[i] ? "the result is another than serially" : what_of(outcomes[i].error())));
    }
  }
  return found;
}

std::string what_of(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const std::exception& failure) {
    return failure.what();
  }
  return "";
}

}  // namespace snakes
