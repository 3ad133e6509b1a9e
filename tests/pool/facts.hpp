// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "pool/contexts.hpp"
#include "support/scratch.hpp"

// What the tests of a pool wait for: facts, never a time. The watchdog is CTest's.
namespace brood::testing {

template <typename Fact>
void eventually(Fact fact) {
  while (!fact()) std::this_thread::sleep_for(1ms);
}

// Tasks. One that heeds its stop token, one that nothing but a signal ends.
inline int until_stopped() {
  while (!this_task::stop_token().stop_requested()) ::usleep(500);
  return 1;
}
inline int for_ever() {
  for (;;) ::pause();
}
inline int square(int x) { return x * x; }
inline int own_pid() { return static_cast<int>(::getpid()); }

// A task that ends when the file appears, and heeds its stop token until then.
inline int until_there(const std::string& path) {
  while (!std::filesystem::exists(path) && !this_task::stop_token().stop_requested()) ::usleep(500);
  return 1;
}

// As many tasks that heed their stop token as keep all workers busy, all begun.
inline std::vector<AsyncResult<int>> keep_busy(Pool& pool, int workers) {
  std::vector<AsyncResult<int>> busy;
  for (int i = 0; i < workers; ++i) busy.push_back(pool.apply_async(until_stopped));
  for (const auto& each : busy) {
    eventually([&] { return pool.poll(each.id()) == JobState::running; });
  }
  return busy;
}

// Adds a line to the file, so that the runs of a task can be counted.
inline void note_run(const std::string& path) { std::ofstream(path, std::ios::app) << "run\n"; }
inline std::size_t runs_noted(const std::string& path) {
  std::ifstream in(path);
  std::size_t runs = 0;
  for (std::string line; std::getline(in, line);) ++runs;
  return runs;
}

inline bool is_gone(int pid) { return ::kill(pid, 0) != 0 && errno == ESRCH; }

}  // namespace brood::testing
