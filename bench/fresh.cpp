// SPDX-License-Identifier: MIT
//
// A process of its own for each task, with an image of 64 MiB that was loaded once.
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <brood/brood.hpp>

#include "support/contest.hpp"
#include "support/options.hpp"
#include "support/python.hpp"
#include "support/report.hpp"
#include "support/small_process.hpp"
#include "support/stopwatch.hpp"

namespace {

using namespace bench;

std::size_t image_size = std::size_t{64} << 20;
std::vector<char> image;

void load_image() { image.assign(image_size, 1); }

int look() { return image[image.size() / 2]; }

int calls = 20;

// Milliseconds a task.
template <typename Work>
double each(Work work) {
  return 1e3 * seconds(work) / calls;
}

void expect(int number) {
  if (number != 1) throw std::runtime_error("a task without its image");
}

double bare_forks() {
  if (image.empty()) load_image();
  return each([] {
    for (int i = 0; i < calls; ++i) {
      const pid_t pid = ::fork();
      if (pid == 0) ::_exit(look());
      int status = 0;
      ::waitpid(pid, &status, 0);
      expect(WEXITSTATUS(status));
    }
  });
}

double one_by_one(brood::Pool& pool) {
  return each([&] {
    for (int i = 0; i < calls; ++i) expect(pool.apply(look));
  });
}

double at_once(brood::Pool& pool) {
  return each([&] {
    std::vector<brood::AsyncResult<int>> results;
    for (int i = 0; i < calls; ++i) results.push_back(pool.apply_async(look));
    for (const auto& result : results) expect(result.get());
  });
}

brood::PoolOptions fresh(std::size_t workers) {
  return {.processes = workers, .preload = load_image, .maxtasksperchild = 1};
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  if (options.smoke) {
    image_size >>= 6;
    calls = 2;
  }
  SmallProcess forker(bare_forks);
  brood::init(argc, argv);
  Report report("a process of its own for each task, which finds 64 MiB loaded");
  brood::Pool single{fresh(1)};
  brood::Pool full{fresh(brood::cpu_count())};
  Contest contest;
  contest.add("brood, one after another", [&] { return one_by_one(single); });
  contest.add("brood, as many as CPUs", [&] { return at_once(full); });
  contest.add("bare fork and wait", [&] { return forker.measure(); });
  if (has_python()) {
    const std::string order = "fresh " + std::to_string(options.size(20, 2));
    contest.add("CPython, without the 64 MiB", [=] { return 1e3 * ask_python(order); });
  } else {
    report.absent("CPython", "no python3 here");
  }
  contest.run(options.smoke ? options.rounds : 3 * options.rounds);
  report.measured(contest, "ms a task");
  report.ratio(contest, "brood, one after another", "bare fork and wait", at_most(1.5));
  report.ratio(contest, "brood, as many as CPUs", "bare fork and wait", at_most(1.5));
}
