// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "how_many_snakes/digest.hpp"
#include "how_many_snakes/runs.hpp"

namespace snakes {

// What a file does to the worker that takes it up.
enum class Fate { fine, segfault, endless_loop, memory_bomb };

std::string_view to_string(Fate fate);

struct Suspect {
  File file;
  Fate fate = Fate::fine;
};

// One file of each evil fate, spread over the files; the same ones in each run.
// Throws: std::runtime_error for fewer files than fates.
std::vector<Suspect> choose_hostile(const std::vector<File>& files);

// digest_of, or the end of the worker.
Digest digest_or_die(const Suspect& suspect);

// Whether an error is what such a file must bring.
bool is_due(Fate fate, const std::exception_ptr& error);

// Which of brood's errors it is, and what it says.
std::string cause_of(const std::exception_ptr& error);

// Digests all files on processes, some of which are brought down, and reports.
// True when just the hostile files failed, each by its own cause, and every other
// result is the baseline's.
bool survive(const Baseline& baseline, std::size_t workers);

}  // namespace snakes
