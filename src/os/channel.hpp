// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <brood/base/error.hpp>
#include <brood/base/timeout.hpp>

#include "os/unique_fd.hpp"

namespace brood::os {

// A pair of connected sockets that keep messages whole and carry descriptors.
std::pair<UniqueFd, UniqueFd> make_channel();

// Of one message.
inline constexpr std::size_t most_descriptors = 128;

struct Received {
  std::size_t size = 0;
  bool lost_descriptors = false;  // more came than this process may have open
  std::vector<UniqueFd> descriptors;
};

// False when the other end is gone. Blocks while the channel is full.
bool send_message(int channel, std::span<const std::byte> message,
                  std::span<const int> descriptors = {});

// For what lost_descriptors means: to `what`, none was left.
SystemError no_descriptor_left(const std::string& what);

// Blocks until a message is there. Nothing when the other end is gone or, with a
// deadline, when that has passed. A longer message is cut to into.size().
std::optional<Received> receive_message(int channel, std::span<std::byte> into,
                                        const Deadline& deadline = {});

}  // namespace brood::os
