// SPDX-License-Identifier: MIT
//
// Large arguments and results, against copying them once in warm memory.
#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <brood/brood.hpp>

#include "support/contest.hpp"
#include "support/options.hpp"
#include "support/python.hpp"
#include "support/report.hpp"
#include "support/stopwatch.hpp"

namespace {

using namespace bench;
using Bytes = std::vector<char>;

std::size_t length_in_place(std::span<const char> bytes) { return bytes.size(); }
std::size_t length_of(const Bytes& bytes) { return bytes.size(); }

Bytes make(std::size_t size) { return Bytes(size, 'x'); }
brood::View<char> make_view(std::size_t size) { return brood::View<char>(make(size)); }
brood::View<char> make_in_place(std::size_t size) {
  return brood::View<char>::make_for_overwrite(
      size, [](std::span<char> out) { std::ranges::fill(out, 'x'); });
}

// As if all of it were read: a byte of each page.
template <typename Range>
std::size_t read(const Range& bytes) {
  constexpr std::size_t page = 4096;
  std::size_t seen = 0;
  for (std::size_t i = 0; i < bytes.size(); i += page) {
    seen += static_cast<std::size_t>(bytes[i] == 'x');
  }
  keep(seen);
  return bytes.size();
}

void expect(std::size_t size, std::size_t right) {
  if (size != right) throw std::runtime_error("wrong size");
}

// So many bytes go there, or come back, in one measurement.
std::size_t enough = 400'000'000;

// Bytes a second, in GB, of several calls one after another; the first, which finds no warm
// memory, is not counted.
template <typename Work>
double rate(std::size_t bytes, Work&& work) {
  work();
  const std::size_t times = std::max<std::size_t>(enough / bytes, 1);
  const double taken = seconds([&] {
    for (std::size_t i = 0; i < times; ++i) work();
  });
  return static_cast<double>(times * bytes) / taken / 1e9;
}

double python_rate(const std::string& what, std::size_t size) {
  return static_cast<double>(size) / ask_python(what + " " + std::to_string(size)) / 1e9;
}

void add_copy(Contest& contest, const Bytes& data, Bytes& copy) {
  contest.add("memcpy in warm memory", [&] {
    return rate(data.size(), [&] {
      std::memcpy(copy.data(), data.data(), data.size());
      keep(copy);
    });
  });
}

void add_python(Contest& contest, Report& report, const std::string& what, std::size_t size) {
  if (has_python()) {
    contest.add("CPython", [=] { return python_rate(what, size); });
  } else {
    report.absent("CPython", "no python3 here");
  }
}

void arguments(const Options& options, brood::Pool& pool, const Bytes& data, Bytes& copy) {
  const std::size_t size = data.size();
  Report report("an argument of " + std::to_string(size) + " bytes");
  Contest contest;
  contest.add("brood, read in place",
              [&] { return rate(size, [&] { expect(pool.apply(length_in_place, data), size); }); });
  contest.add("brood, as a vector",
              [&] { return rate(size, [&] { expect(pool.apply(length_of, data), size); }); });
  add_copy(contest, data, copy);
  add_python(contest, report, "argument", size);
  contest.run(options.rounds);
  report.measured(contest, "GB/s");
  report.ratio(contest, "brood, read in place", "memcpy in warm memory", at_least(0.6));
}

void results(const Options& options, brood::Pool& pool, const Bytes& data, Bytes& copy) {
  const std::size_t size = data.size();
  Report report("a result of " + std::to_string(size) + " bytes, made by the task");
  Contest contest;
  const auto made_by = [&](auto* task) {
    return [&, task] { return rate(size, [&] { expect(read(pool.apply(task, size)), size); }); };
  };
  contest.add("brood", made_by(make));
  contest.add("brood, as a View, made in place", made_by(make_in_place));
  contest.add("brood, as a View of a vector", made_by(make_view));
  contest.add("made here", [&] {
    return rate(size, [&] {
      Bytes made = make(size);
      keep(made);
    });
  });
  // What a value takes at least: nobody but who owns a vector may give it its memory.
  Bytes second(size);
  contest.add("made here and copied twice", [&] {
    return rate(size, [&] {
      const Bytes made = make(size);
      std::memcpy(copy.data(), made.data(), size);
      keep(copy);
      std::memcpy(second.data(), copy.data(), size);
      keep(second);
    });
  });
  add_copy(contest, data, copy);
  add_python(contest, report, "result", size);
  contest.run(options.rounds);
  report.measured(contest, "GB/s");
  report.ratio(contest, "brood, as a View, made in place", "memcpy in warm memory", at_least(0.6));
  report.ratio(contest, "brood", "made here and copied twice", at_least(0.6));
  report.ratio(contest, "brood", "memcpy in warm memory", at_least(0.6));
}

// Items of a map, as vectors, and their results.
void items(const Options& options, brood::Pool& pool, const Bytes& data, Bytes& copy) {
  constexpr std::size_t count = 25;
  const std::vector<Bytes> all(count, data);
  const std::vector<std::size_t> sizes(count, data.size());
  Report report("a map of 25 items of " + std::to_string(data.size()) + " bytes");
  Contest contest;
  contest.add("brood, arguments as vectors", [&] {
    return rate(count * data.size(), [&] {
      for (const std::size_t size : pool.map(length_of, all)) expect(size, data.size());
    });
  });
  contest.add("brood, results, one after another", [&] {
    return rate(count * data.size(), [&] {
      for (const Bytes& made : pool.imap(make, sizes)) expect(read(made), data.size());
    });
  });
  contest.add("brood, results, all together", [&] {
    return rate(count * data.size(), [&] {
      for (const Bytes& made : pool.map(make, sizes)) expect(read(made), data.size());
    });
  });
  contest.add("made here, all together", [&] {
    return rate(count * data.size(), [&] {
      std::vector<Bytes> made;
      for (const std::size_t size : sizes) made.push_back(make(size));
      keep(made.back());
    });
  });
  add_copy(contest, data, copy);
  contest.run(options.rounds);
  report.measured(contest, "GB/s");
}

// A hundred tasks that each get the same bytes.
void again_and_again(const Options& options, brood::Pool& pool, const Bytes& data, Bytes& copy) {
  constexpr std::size_t tasks = 100;
  const std::size_t all = tasks * data.size();
  Report report("the same " + std::to_string(data.size()) + " bytes for 100 tasks");
  Contest contest;
  contest.add("brood, a copy a task", [&] {
    return rate(all, [&] {
      for (std::size_t i = 0; i < tasks; ++i) {
        expect(pool.apply(length_in_place, data), data.size());
      }
    });
  });
  contest.add("brood::shared_vector, built once", [&] {
    return rate(all, [&] {
      const brood::shared_vector<char> shared(data);
      for (std::size_t i = 0; i < tasks; ++i) {
        expect(pool.apply(length_in_place, shared), data.size());
      }
    });
  });
  add_copy(contest, data, copy);
  contest.run(options.size(3, 1));
  report.measured(contest, "GB/s");
}

}  // namespace

int main(int argc, char** argv) {
  brood::init(argc, argv);
  const Options options = read_options(argc, argv);
  enough = options.size<std::size_t>(enough, 1'000'000);
  brood::Pool pool{1};
  const auto large = options.size<std::size_t>(100'000'000, 1'000'000);
  for (const std::size_t size : {large / 25, large}) {
    const Bytes data = make(size);
    Bytes copy(size);
    arguments(options, pool, data, copy);
    results(options, pool, data, copy);
    if (size != large) items(options, pool, data, copy);
  }
  Bytes copy(large / 5);
  again_and_again(options, pool, make(large / 5), copy);
}
