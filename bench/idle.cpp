// SPDX-License-Identifier: MIT
//
// What a pool does that has nothing to do: nothing.
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <brood/brood.hpp>

#include "support/in_own_process.hpp"
#include "support/options.hpp"
#include "support/processes.hpp"
#include "support/report.hpp"

namespace {

using namespace bench;
using namespace std::chrono_literals;

struct Use {
  double wakes = 0;
  double microseconds = 0;
};
// Of each thread, by its number.
using Uses = std::map<pid_t, Use>;

// A thread that sleeps and is woken has given its CPU up once.
double wakes_of(const std::filesystem::path& thread) {
  std::ifstream file(thread / "status");
  double sum = 0;
  for (std::string word; file >> word;) {
    double count = 0;
    if (word.ends_with("voluntary_ctxt_switches:") && file >> count) sum += count;
  }
  return sum;
}

double microseconds_of(const std::filesystem::path& thread) {
  std::ifstream file(thread / "schedstat");
  double nanoseconds = 0;
  if (!(file >> nanoseconds)) throw std::runtime_error("this kernel keeps no schedstat");
  return nanoseconds / 1e3;
}

void add_threads_of(const std::string& process, Uses& uses) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + process + "/task")) {
    const pid_t thread = std::stoi(entry.path().filename());
    if (thread == ::getpid()) continue;  // measures, and does nothing of the pool's
    uses[thread] = {wakes_of(entry.path()), microseconds_of(entry.path())};
  }
}

// The pool's own threads, its workers, the nursery and its twin.
Uses uses_now() {
  Uses uses;
  add_threads_of("self", uses);
  for (const pid_t child : children()) add_threads_of(std::to_string(child), uses);
  return uses;
}

Use since(const Uses& before) {
  Use sum;
  for (const auto& [thread, now] : uses_now()) {
    const auto then = before.find(thread);
    const Use old = then == before.end() ? Use{} : then->second;
    sum.wakes += now.wakes - old.wakes;
    sum.microseconds += now.microseconds - old.microseconds;
  }
  return sum;
}

void nothing() {}
std::size_t same(std::size_t size) { return size; }
std::vector<char> make(std::size_t size) { return std::vector<char>(size); }
std::size_t length(const std::vector<char>& bytes) { return bytes.size(); }

// So that all it has for its work has been in use.
void work_with(brood::Pool& pool) {
  for (int i = 0; i < 100; ++i) pool.apply(nothing);
  pool.map(same, std::vector<std::size_t>(10'000));
  std::vector<brood::AsyncResult<void>> results;
  for (int i = 0; i < 10'000; ++i) results.push_back(pool.apply_async(nothing));
  for (auto& result : results) result.get();
  pool.apply(length, pool.apply(make, std::size_t{4'000'000}));
}

void watch(const Options& options, brood::Context context, const std::string& claim) {
  brood::init();
  brood::Pool pool{{.context = context}};
  work_with(pool);
  // A second after the last large value its memory is given back.
  std::this_thread::sleep_for(options.smoke ? 10ms : 2s);
  const Uses before = uses_now();
  std::this_thread::sleep_for(options.smoke ? 10ms : 10s);
  const Use use = since(before);
  Report report(claim + ", over 10 s, after it has worked");
  const double watched = static_cast<double>(before.size());
  report.measured("threads of the pool, of its workers and nurseries", "watched",
                  {watched, watched, watched});
  report.goal("wake-ups of them all", "switches", {use.wakes, use.wakes, use.wakes}, at_most(0));
  report.goal("CPU time of them all", "us", {use.microseconds, use.microseconds, use.microseconds},
              at_most(0));
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  in_own_process(
      [&] { watch(options, brood::Context::forkserver, "a pool of processes without work"); });
  in_own_process([&] { watch(options, brood::Context::thread, "a pool of threads without work"); });
}
