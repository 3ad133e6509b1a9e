// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <brood/wire/erased_call.hpp>

#include "os/unique_fd.hpp"
#include "process/identity.hpp"
#include "process/order.hpp"

// The child's side of a Process.
namespace brood::process {

// What it is told, as a sealed file: who it is, and its call.
os::UniqueFd write_target(const Identity& identity, const wire::ErasedCall& call);
// The entry; its descriptor is that file.
int shipped_process_main(Kit& kit);

// The same in a fork, where nothing needs to be written.
int run_process(Identity identity, const wire::ErasedCall& call);

}  // namespace brood::process
