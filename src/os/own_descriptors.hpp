// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

// Which descriptor numbers are brood's, so that a child that the user forks can
// close them all, whoever owned them.
namespace brood::os {

// Counts the sweeps that led to this process. What was opened before the last one
// is closed, and its number may be another's.
inline std::atomic<std::uint32_t> descriptor_sweeps{0};

// Numbers beyond what the notes hold are not noted.
void note_own_descriptor(int fd) noexcept;
void forget_own_descriptor(int fd) noexcept;

// Closes all that are noted but those, which their owners keep.
// Requires: this process has one thread, as all below.
void close_own_descriptors_except(std::span<const int> kept) noexcept;
// The same without an exception; whoever owned one owns nothing any more.
void sweep_own_descriptors() noexcept;
// When others were closed in another way.
void note_only(std::span<const int> kept) noexcept;

}  // namespace brood::os
