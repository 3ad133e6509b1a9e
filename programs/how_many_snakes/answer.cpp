// SPDX-License-Identifier: MIT
#include "how_many_snakes/answer.hpp"

#include <cmath>
#include <cstdio>

namespace snakes {
namespace {

std::string fixed(double number, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, number);
  return text;
}

std::string percent(double part) { return fixed(100 * part, 0) + " %"; }

std::string workers_of(Kind kind, std::size_t count) {
  if (count == 1) return kind == Kind::threads ? "1 thread" : "1 process";
  return std::to_string(count) + ' ' + std::string(to_string(kind));
}

// "2 processes: 1.93 times the serial speed, and one more gains 1 %, less than 5 %"
std::string sentence(const Answer& answer, Kind kind) {
  std::string text = answer.pays() ? workers_of(kind, answer.workers) + ": "
                                   : "no " + std::string(to_string(kind)) + ": " +
                                         workers_of(kind, answer.workers) + " reach" +
                                         (answer.workers == 1 ? "es " : " ");
  text += fixed(answer.speedup, 2) + " times the serial speed, and ";
  if (!answer.next_gain) return text + "no larger number was tried; --workers goes further";
  text += "one more ";
  text += *answer.next_gain < 0 ? "loses " : "gains ";
  text += percent(std::abs(*answer.next_gain));
  if (*answer.next_gain >= 0) text += ", less than " + percent(least_gain);
  return text;
}

std::string reason_of_cpus(const Answer& answer, const Machine& machine) {
  if (answer.workers == machine.usable) {
    return "That is one for each CPU: the work computes all the time, so a worker\n"
           "without a CPU of its own adds nothing.";
  }
  if (answer.workers > machine.usable) {
    return "That is more than there are CPUs: the work also waits, for files or for\n"
           "others that use this machine, and meanwhile another worker can compute.";
  }
  return "That is fewer than there are CPUs: those are busy with something else, or share\n"
         "their cores, or the run is too short to tell (--repeat 3 takes the best of three).";
}

std::string reason(const Report& report, const Answer& answer, const Machine& machine) {
  if (answer.pays() && !answer.next_gain) return "The largest number tried still paid.";
  if (!answer.pays() && machine.usable == 1) {
    return "There is one CPU, which the plain loop keeps busy by itself.";
  }
  const double ideal = report.serial().seconds / static_cast<double>(machine.usable);
  if (answer.workers < machine.usable && report.longest_seconds > ideal) {
    return "That is fewer than there are CPUs: one file alone takes " +
           fixed(report.longest_seconds, 2) + " of the " + fixed(report.serial().seconds, 2) +
           " s,\nand no number of workers makes it shorter.";
  }
  if (!answer.pays()) {
    return "The plain loop does as well: the CPUs are busy with something else, or share their\n"
           "cores, or so few workers were tried that none could help another.";
  }
  return reason_of_cpus(answer, machine);
}

// Why not to believe the numbers; empty where nothing speaks against them.
std::string doubt(const Report& report) {
  if (report.serial().seconds < least_seconds) {
    return "But the serial run took only " + fixed(report.serial().seconds, 3) +
           " s, too short to tell: name a larger folder.\n";
  }
  if (report.others > most_others) {
    return "But other programs used " + percent(report.others) +
           " of this machine meanwhile, so the numbers say little:\n"
           "measure again when those have ended, or with --repeat 3.\n";
  }
  return "";
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::serial: return "serial";
    case Kind::threads: return "threads";
    case Kind::processes: return "processes";
  }
  return "";
}

std::optional<Answer> answer_of(const Report& report, Kind kind) {
  const Row* last = nullptr;
  for (const Row& row : report.rows) {
    if (row.kind != kind) continue;
    if (last != nullptr) {
      const auto more = static_cast<double>(row.workers - last->workers);
      const double gain = std::pow(last->seconds / row.seconds, 1 / more) - 1;
      if (gain < least_gain) return Answer{last->workers, report.speedup(*last), gain};
    }
    last = &row;
  }
  if (last == nullptr) return std::nullopt;
  return Answer{last->workers, report.speedup(*last), std::nullopt};
}

std::string explain(const Report& report, const Machine& machine) {
  std::string text = "You need ";
  const char* before = "";
  std::optional<Answer> main_answer;
  for (const Kind kind : {Kind::processes, Kind::threads}) {
    const auto answer = answer_of(report, kind);
    if (!answer) continue;
    text += before + sentence(*answer, kind);
    before = ";\nor ";
    if (!main_answer) main_answer = answer;
  }
  text += ".\n";
  if (main_answer) {
    text += "Why: this program may use " + to_string(machine) + ".\n" +
            reason(report, *main_answer, machine) + '\n' + doubt(report);
  }
  return text;
}

}  // namespace snakes
