// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <exception>
#include <span>

#include <brood/base/export.hpp>
#include <brood/wire/writer.hpp>

namespace brood::wire {

// Writes what was thrown: its type's name, its nearest standard type, what(),
// and the code and paths of those that have them. Never null.
BROOD_EXPORT void encode_exception(Writer& out, const std::exception_ptr& thrown);

// The same as something to throw here: an object of the nearest standard type,
// which is also a RemoteError, or one of brood's own types. A record that makes
// no sense, since a dying worker wrote it, becomes a ShipError.
BROOD_EXPORT std::exception_ptr decode_exception(std::span<const std::byte> record, int worker_pid);

}  // namespace brood::wire
