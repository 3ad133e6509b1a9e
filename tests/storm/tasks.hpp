// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <brood/share/view.hpp>

// What the storm has its workers do. Each task first counts that it runs, in
// memory that outlives its worker; then it answers with what its number alone
// decides, so that a wrong answer, another's answer and a second run all show.
namespace brood::storm {

std::uint64_t answer_to(std::uint64_t task) noexcept;

std::uint64_t plain(std::uint64_t task);
std::string spelled(std::uint64_t task);
std::pair<std::uint64_t, std::uint64_t> labelled(std::uint64_t task);

// More than a lane holds, either way.
std::vector<std::uint64_t> large_question(std::uint64_t task);
std::uint64_t hear_large(std::vector<std::uint64_t> question);
std::string speak_large(std::uint64_t task);
std::string large_answer_to(std::uint64_t task);
// In memory that goes along: with bytes that the lane holds, or with more than that.
using Picture = std::pair<std::string, View<std::uint64_t>>;
Picture draw(std::uint64_t task);
Picture picture_of(std::uint64_t task);

// Throws std::out_of_range with this text.
std::uint64_t failing(std::uint64_t task);
std::string complaint_of(std::uint64_t task);

// Ends when it's asked to stop.
std::uint64_t patient(std::uint64_t task);
// Never ends.
std::uint64_t stubborn(std::uint64_t task);
// Every eighth never ends.
std::uint64_t sometimes_stubborn(std::uint64_t task);
constexpr bool is_stubborn(std::uint64_t task) noexcept { return task % 8 == 5; }
// Ends as closely after so many nanoseconds as it can.
std::uint64_t close_finish(std::uint64_t task, std::int64_t nanoseconds);

// Ends when so many workers do this at the same time.
std::uint64_t meet(std::uint64_t workers);

}  // namespace brood::storm
