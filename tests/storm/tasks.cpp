// SPDX-License-Identifier: MIT
#include "tasks.hpp"

#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

#include <brood/brood.hpp>

#include "board.hpp"

namespace brood::storm {
namespace {

constexpr std::size_t large_count = std::size_t{100} << 10;  // of 8 bytes each

void count_run(std::uint64_t task) noexcept {
  (&board().runs[0])[task].fetch_add(1, std::memory_order_seq_cst);
}

}  // namespace

std::uint64_t answer_to(std::uint64_t task) noexcept {
  std::uint64_t z = (task + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  return z ^ (z >> 27);
}

std::uint64_t plain(std::uint64_t task) {
  count_run(task);
  return answer_to(task);
}

std::string spelled(std::uint64_t task) {
  count_run(task);
  return std::to_string(answer_to(task));
}

std::pair<std::uint64_t, std::uint64_t> labelled(std::uint64_t task) {
  count_run(task);
  return {task, answer_to(task)};
}

std::vector<std::uint64_t> large_question(std::uint64_t task) {
  std::vector<std::uint64_t> question(large_count, answer_to(task));
  question.front() = task;
  return question;
}

std::uint64_t hear_large(std::vector<std::uint64_t> question) {
  const std::uint64_t task = question.front();
  count_run(task);
  if (question != large_question(task)) throw std::logic_error("the question came spoiled");
  return question.back();
}

std::string large_answer_to(std::uint64_t task) {
  std::string answer(large_count * 8, static_cast<char>('a' + task % 26));
  return answer += std::to_string(answer_to(task));
}

std::string speak_large(std::uint64_t task) {
  count_run(task);
  return large_answer_to(task);
}

Picture picture_of(std::uint64_t task) {
  return {task % 2 == 0 ? large_answer_to(task) : std::to_string(task),
          View<std::uint64_t>(large_question(task))};
}

Picture draw(std::uint64_t task) {
  count_run(task);
  return picture_of(task);
}

// Every fourth is longer than the room for it.
std::string complaint_of(std::uint64_t task) {
  std::string text = "complaint " + std::to_string(answer_to(task));
  if (task % 4 == 0) text.append(std::size_t{8} << 10, '!');
  return text;
}

std::uint64_t failing(std::uint64_t task) {
  count_run(task);
  throw std::out_of_range(complaint_of(task));
}

std::uint64_t patient(std::uint64_t task) {
  count_run(task);
  while (!this_task::stop_token().stop_requested()) ::sched_yield();
  return answer_to(task);
}

std::uint64_t stubborn(std::uint64_t task) {
  count_run(task);
  for (;;) ::pause();
}

std::uint64_t sometimes_stubborn(std::uint64_t task) {
  if (is_stubborn(task)) return stubborn(task);
  return plain(task);
}

std::uint64_t close_finish(std::uint64_t task, std::int64_t nanoseconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(nanoseconds);
  count_run(task);
  while (std::chrono::steady_clock::now() < end) {
  }
  return answer_to(task);
}

std::uint64_t meet(std::uint64_t workers) {
  board().arrived.fetch_add(1, std::memory_order_seq_cst);
  while (board().arrived.load(std::memory_order_seq_cst) < workers) ::sched_yield();
  return static_cast<std::uint64_t>(::getpid());
}

}  // namespace brood::storm
