// SPDX-License-Identifier: MIT
#include "pool/memory_watch.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

#include <brood/base/error.hpp>

#include "os/child_setup.hpp"

namespace brood::detail {
namespace {

// With this a worker takes a task, runs it, answers, and can tell of its end, whoever
// counts; memory_limit_test.cpp holds it to that.
constexpr std::uint64_t least_limit = 4 * MiB;

// With all but an eighth of the limit used, what looks like a refusal is taken for
// one: allocators ask for some pieces at a time.
bool is_all_but_reached(std::uint64_t used, std::uint64_t limit) {
  return used >= limit - limit / 8;
}

// Where a null pointer, or mmap's MAP_FAILED, was taken for memory.
bool is_of_no_memory(std::uintptr_t address) {
  constexpr std::uintptr_t a_field = 64 * KiB;
  return address < a_field || address > std::numeric_limits<std::uintptr_t>::max() - a_field;
}

// Also by the name that stands there before a readable one could be made.
bool is_bad_alloc(const std::string& type) {
  return type == "std::bad_alloc" || type == "St9bad_alloc";
}

std::string not_by_the_kernel(const std::string& who_counts) {
  return "which leaves no trace: not by the kernel, out of memory, as the counts of " + who_counts +
         " have it, so by itself or another process";
}

}  // namespace

bool MemoryWatch::died_of_refusal(const os::ExitStatus& how, const os::CrashNotes& notes) const {
  if (how.signal != 0 && how.signal == notes.signal && is_bad_alloc(notes.exception_type)) {
    return true;
  }
  if (!notes.exception_type.empty() || !is_all_but_reached(notes.added_memory, limit_)) {
    return false;
  }
  if (how.signal == 0) return how.code != 0;
  if (how.signal != notes.signal || notes.stack_overflow) return false;
  const std::string name = os::signal_name(how.signal);
  return name == "ABRT" || (name == "SEGV" && notes.address && is_of_no_memory(*notes.address));
}

// The counts of the machine say for sure who it was not; those of the program's
// own group who it was.
std::string MemoryWatch::killer() {
  const os::OutOfMemoryKills now = os::out_of_memory_kills();
  if (now.own_group && before_.own_group && *now.own_group > *before_.own_group + accounted_) {
    ++accounted_;
    return "by the kernel, out of memory, as the count of its control group has it";
  }
  if (now.machine && before_.machine && *now.machine == *before_.machine) {
    return not_by_the_kernel("this machine");
  }
  return "which leaves no trace: by the kernel, out of memory, or by another process";
}

MemoryEnd MemoryWatch::end_of(const os::MemoryGroup* group, const os::ExitStatus& how,
                              const os::CrashNotes& notes) {
  MemoryEnd end;
  end.limit = limit_;
  const bool was_killed = how.signal == os::kill_signal;
  if (group) {
    const os::MemoryGroup::End told = group->end();
    if (was_killed && told.killed) {
      end.exceeded = told.exceeded;
      end.peak = told.peak != 0 ? told.peak : limit_;
      end.killer = "by the kernel, out of memory, though within its own limit";
      return end;
    }
    if (told.entered) {
      // There nothing is refused, only killed.
      if (was_killed) end.killer = not_by_the_kernel("its control group");
      return end;
    }
  }
  if (limit_ != 0 && died_of_refusal(how, notes)) {
    end.exceeded = true;
    // Resident counts files too, which the limit doesn't.
    end.peak = std::max(notes.added_memory, std::min(notes.peak_memory, limit_));
  }
  if (was_killed) end.killer = killer();
  return end;
}

std::string in_words(std::uint64_t bytes) {
  if (bytes % MiB == 0) return std::to_string(bytes / MiB) + " MiB";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f MiB",
                static_cast<double>(bytes) / static_cast<double>(MiB));
  return text.data();
}

void require_livable(Count limit) {
  if (limit.number() >= static_cast<std::int64_t>(least_limit)) return;
  throw ValueError("cannot use memory_limit = " + std::to_string(limit.number()) +
                   ": it is in bytes, and an empty worker needs " + std::to_string(least_limit) +
                   " (" + in_words(least_limit) +
                   "); give it that or more, as in 512 * brood::MiB, or leave it out for no limit");
}

}  // namespace brood::detail
