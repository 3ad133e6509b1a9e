// SPDX-License-Identifier: MIT
//
// map(x * x) over many ints: nothing but the cost of moving them.
#include <cstring>
#include <string>
#include <vector>

#ifdef BROOD_HAS_TBB
#include <tbb/parallel_for.h>
#endif

#include <brood/brood.hpp>

#include "support/contest.hpp"
#include "support/options.hpp"
#include "support/python.hpp"
#include "support/report.hpp"
#include "support/stopwatch.hpp"

namespace {

using namespace bench;
using Numbers = std::vector<int>;

Numbers numbers_of(std::size_t count) {
  Numbers numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<int>(i % 1000);
  return numbers;
}

int square(int x) { return x * x; }

// The items are copied to where the work is, and the results into a new vector,
// as map returns one.
Numbers floor_of(const Numbers& numbers, Numbers& there, Numbers& done) {
  std::memcpy(there.data(), numbers.data(), numbers.size() * sizeof(int));
  keep(there);
  for (std::size_t i = 0; i < there.size(); ++i) done[i] = square(there[i]);
  keep(done);
  return {done.begin(), done.end()};
}

#ifdef BROOD_HAS_TBB
Numbers with_tbb(const Numbers& numbers) {
  Numbers squares(numbers.size());
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, numbers.size()), [&](const auto& range) {
    for (std::size_t i = range.begin(); i < range.end(); ++i) squares[i] = square(numbers[i]);
  });
  return squares;
}
#endif

template <typename Work>
double milliseconds(Work work) {
  Numbers result;
  const double taken = 1e3 * seconds([&] { result = work(); });
  keep(result);
  if (result.size() > 3 && result[3] != 9) throw std::runtime_error("wrong squares");
  return taken;
}

void contest_of(const Options& options, brood::Pool& processes, brood::Pool& threads,
                std::size_t count, bool python, int rounds) {
  Report report("map(x * x) over " + std::to_string(count) + " ints");
  const Numbers numbers = numbers_of(count);
  Numbers there(count);
  Numbers done(count);
  // As the loop and oneTBB have it: a function's address would be called for each item.
  const auto inlined = [](int x) { return square(x); };
  Contest contest;
  contest.add("brood map",
              [&] { return milliseconds([&] { return processes.map(inlined, numbers); }); });
  contest.add("brood map by a function's address",
              [&] { return milliseconds([&] { return processes.map(square, numbers); }); });
  contest.add("serial loop and two copies",
              [&] { return milliseconds([&] { return floor_of(numbers, there, done); }); });
  contest.add("brood map on threads",
              [&] { return milliseconds([&] { return threads.map(inlined, numbers); }); });
#ifdef BROOD_HAS_TBB
  contest.add("oneTBB parallel_for",
              [&] { return milliseconds([&] { return with_tbb(numbers); }); });
#else
  report.absent("oneTBB", "it was not there when this was built");
#endif
  if (python && has_python()) {
    const std::string order =
        "map " + std::to_string(count) + " " + std::to_string(brood::cpu_count());
    contest.add("CPython map", [=] { return 1e3 * ask_python(order); });
  } else {
    report.absent("CPython", python ? "no python3 here" : "asked for fewer items only");
  }
  contest.run(options.smoke ? options.rounds : rounds, Contest::Start::awake);

  report.measured(contest, "ms");
  report.ratio(contest, "brood map", "serial loop and two copies", at_most(3));
  report.ratio(contest, "brood map on threads", "oneTBB parallel_for", at_most(2));
  report.ratio(contest, "brood map", "CPython map", at_most(0.01));
}

}  // namespace

int main(int argc, char** argv) {
  brood::init(argc, argv);
  const Options options = read_options(argc, argv);
  brood::Pool processes;
  brood::Pool threads{{.context = brood::Context::thread}};
  const std::size_t million = options.size<std::size_t>(1'000'000, 1'000);
  contest_of(options, processes, threads, million, true, 3 * options.rounds);
  if (!options.smoke) contest_of(options, processes, threads, 100 * million, false, 3);
}
