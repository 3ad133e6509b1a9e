// SPDX-License-Identifier: MIT
#include "how_many_snakes/hostile.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <new>
#include <stdexcept>
#include <string>

#include "how_many_snakes/in_quotes.hpp"
#include "how_many_snakes/terminal.hpp"

namespace snakes {
namespace {

constexpr std::array evils{Fate::segfault, Fate::endless_loop, Fate::memory_bomb};
constexpr std::uint64_t memory_limit = 64 * brood::MiB;

// Known to nobody at compile time, or what follows would be optimised away.
volatile int* volatile nowhere = nullptr;
volatile bool for_ever = true;

// A slow file is no endless one: ten times what the slowest took alone, and more
// where workers share CPUs.
std::chrono::duration<double> time_limit(const Baseline& baseline, std::size_t workers) {
  const double share =
      std::max(1.0, static_cast<double>(workers) / static_cast<double>(brood::cpu_count()));
  return std::chrono::duration<double>(std::max(2.0, 10 * share * baseline.longest_seconds));
}

class Verdict {
 public:
  Verdict(const Baseline& baseline, const std::vector<Suspect>& suspects, const Outcomes& outcomes)
      : baseline_(baseline), suspects_(suspects), outcomes_(outcomes) {}

  // True when all is as it must be.
  bool report() {
    for (std::size_t i = 0; i < suspects_.size(); ++i) {
      if (suspects_[i].fate == Fate::fine) {
        judge_harmless(i);
      } else {
        judge_hostile(i);
      }
    }
    std::cout << '\n'
              << evils.size() << " hostile files, " << met_ << " named with the cause; " << right_
              << " of " << suspects_.size() - evils.size()
              << " other results stand, equal to the serial ones.\n";
    return met_ == evils.size() && right_ == suspects_.size() - evils.size();
  }

 private:
  void judge_harmless(std::size_t i) {
    if (outcomes_[i].has_value() && *outcomes_[i] == baseline_.digests[i]) {
      ++right_;
      return;
    }
    std::cout << in_quotes(suspects_[i].file.path) << "\n  harmless, but: "
              << (outcomes_[i].has_value() ? "its result is another than serially"
                                           : cause_of(outcomes_[i].error()))
              << '\n';
  }

  void judge_hostile(std::size_t i) {
    const bool due = is_due(suspects_[i].fate, outcomes_[i].error());
    if (due) ++met_;
    std::cout << in_quotes(suspects_[i].file.path) << "\n  " << to_string(suspects_[i].fate) << ": "
              << (outcomes_[i].has_value() ? "it came back with a result"
                                           : cause_of(outcomes_[i].error()))
              << (due ? "" : "  <- another end was expected") << '\n';
  }

  const Baseline& baseline_;
  const std::vector<Suspect>& suspects_;
  const Outcomes& outcomes_;
  std::size_t met_ = 0;
  std::size_t right_ = 0;
};

}  // namespace

std::string_view to_string(Fate fate) {
  switch (fate) {
    case Fate::fine: return "fine";
    case Fate::segfault: return "segfault";
    case Fate::endless_loop: return "endless loop";
    case Fate::memory_bomb: return "memory bomb";
  }
  return "";
}

std::vector<Suspect> choose_hostile(const std::vector<File>& files) {
  if (files.size() < evils.size()) {
    throw std::runtime_error("cannot make " + std::to_string(evils.size()) + " of " +
                             std::to_string(files.size()) +
                             " files hostile: name a folder with more files in it");
  }
  std::vector<Suspect> suspects;
  suspects.reserve(files.size());
  for (const File& file : files) suspects.push_back({file, Fate::fine});
  for (std::size_t i = 0; i < evils.size(); ++i) {
    suspects[(2 * i + 1) * files.size() / (2 * evils.size())].fate = evils[i];
  }
  return suspects;
}

Digest digest_or_die(const Suspect& suspect) {
  switch (suspect.fate) {
    case Fate::fine: break;
    case Fate::segfault: *nowhere = 1; break;
    case Fate::endless_loop:
      while (for_ever) {
      }
      break;
    case Fate::memory_bomb:
      for (std::vector<std::string> hoard; for_ever;) {
        hoard.emplace_back(std::size_t{8} << 20, 'x');
      }
      break;
  }
  return digest_of(suspect.file);
}

bool is_due(Fate fate, const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const brood::TaskTimeout&) {
    return fate == Fate::endless_loop;
  } catch (const brood::MemoryLimitExceeded&) {
    return fate == Fate::memory_bomb;
  } catch (const brood::WorkerCrashed&) {
    return fate == Fate::segfault;
  } catch (const std::bad_alloc&) {
    return fate == Fate::memory_bomb;
  } catch (const std::exception&) {
    return false;
  }
  return fate == Fate::fine;
}

std::string cause_of(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const brood::TaskTimeout& failure) {
    return std::string("TaskTimeout: ") + failure.what();
  } catch (const brood::MemoryLimitExceeded& failure) {
    return std::string("MemoryLimitExceeded: ") + failure.what();
  } catch (const brood::WorkerCrashed& failure) {
    return std::string("WorkerCrashed: ") + failure.what();
  } catch (const std::bad_alloc& failure) {
    return std::string(failure.what()) + ": its worker met the memory limit, and lives";
  } catch (const std::exception& failure) {
    return failure.what();
  }
  return "no error";
}

bool survive(const Baseline& baseline, std::size_t workers) {
  const std::vector<Suspect> suspects = choose_hostile(baseline.files);
  const auto limit = time_limit(baseline, workers);
  std::cout << "Digested serially; now on " << workers << (workers == 1 ? " process" : " processes")
            << ", each with " << memory_limit / brood::MiB << " MiB and " << limit.count()
            << " s a file, three files of which are hostile:\n\n"
            << std::flush;
  brood::Pool pool{{.processes = workers, .memory_limit = memory_limit}};
  Caption caption("processes, " + std::to_string(workers) + " with hostile files");
  const Outcomes outcomes =
      pool.map_outcomes({.timeout = limit, .progress = true}, digest_or_die, suspects);
  caption.clear();
  return Verdict(baseline, suspects, outcomes).report();
}

}  // namespace snakes
