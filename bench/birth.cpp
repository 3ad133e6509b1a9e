// SPDX-License-Identifier: MIT
//
// A pool and its first result, in a small program and beside a large heap.
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <brood/brood.hpp>

#include "support/contest.hpp"
#include "support/in_own_process.hpp"
#include "support/options.hpp"
#include "support/python.hpp"
#include "support/report.hpp"
#include "support/small_process.hpp"
#include "support/stopwatch.hpp"

namespace {

using namespace bench;

void nothing() {}

double brood_birth() {
  const std::int64_t begin = now_ns();
  brood::Pool pool{1};
  pool.apply(nothing);
  return static_cast<double>(now_ns() - begin) / 1e6;  // without the pool's end
}

double bare_fork() {
  return 1e3 * seconds([] {
           const pid_t pid = ::fork();
           if (pid == 0) ::_exit(0);
           ::waitpid(pid, nullptr, 0);
         });
}

void beside(const Options& options, std::size_t heap, const std::string& size) {
  Report report("a pool of one and its first result, beside " + size);
  SmallProcess small(bare_fork);
  brood::init();
  const std::vector<char> held(heap, 1);
  Contest contest;
  contest.add("brood", brood_birth);
  contest.add("bare fork of a small process", [&] { return small.measure(); });
  contest.run(options.smoke ? options.rounds : 5 * options.rounds);

  // Apart, as a fork leaves a large heap's pages to be copied one by one.
  Contest slow;
  slow.add("bare fork of this process", bare_fork);
  if (has_python()) {
    for (const std::string method : {"fork", "forkserver"}) {
      const std::string order = "birth " + method + " " + std::to_string(heap);
      slow.add("CPython " + method, [=] { return 1e3 * ask_python(order); });
    }
  } else {
    report.absent("CPython", "no python3 here");
  }
  slow.run(options.size(3, 1));
  report.measured(contest, "ms");
  report.measured(slow, "ms");
  report.goal("brood", "ms", contest.of("brood"), at_most(1));
  report.ratio(contest, "brood", "bare fork of a small process", at_most(3));
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  in_own_process([&] { beside(options, std::size_t{10} << 20, "10 MiB"); });
  if (options.smoke) return 0;
  in_own_process([&] { beside(options, std::size_t{2} << 30, "2 GiB"); });
}
