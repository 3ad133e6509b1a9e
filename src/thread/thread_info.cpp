// SPDX-License-Identifier: MIT
#include <brood/thread/thread_info.hpp>

#include <ostream>
#include <string>

#include "thread/registry.hpp"

namespace brood {
namespace {

const char* word_for(ThreadState state) noexcept {
  switch (state) {
    case ThreadState::unstarted: return "unstarted";
    case ThreadState::runnable: return "runnable";
    case ThreadState::running: return "running";
    case ThreadState::waiting: return "waiting";
    case ThreadState::dead: return "dead";
  }
  return "unknown";
}

// The three stages that a printed thread tells, as Python has them.
const char* stage_of(ThreadState state) noexcept {
  if (state == ThreadState::unstarted) return "initial";
  return state == ThreadState::dead ? "stopped" : "started";
}

}  // namespace

std::ostream& operator<<(std::ostream& out, ThreadState state) { return out << word_for(state); }

std::ostream& operator<<(std::ostream& out, const ThreadInfo& info) {
  std::string text = "<Thread(" + info.name() + ", " + stage_of(info.state());
  if (info.daemon()) text += " daemon";
  if (info.ident() != 0) text += ' ' + std::to_string(info.ident());
  return out << text + ")>";
}

std::vector<ThreadInfo> enumerate() { return detail::ThreadRegistry::instance().all(); }

std::size_t active_count() { return enumerate().size(); }

ThreadInfo current_thread() { return detail::ThreadRegistry::instance().caller(); }

ThreadInfo main_thread() { return detail::ThreadRegistry::instance().main(); }

}  // namespace brood
