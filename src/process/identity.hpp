// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "process/watched_process.hpp"

namespace brood::process {

// Who this process is among brood's.
struct Identity {
  std::string name = "MainProcess";
  bool daemon = false;
  // Of the one that made it; 0 for the program itself.
  int parent_pid = 0;
  std::string parent_name;
};

const Identity& identity() noexcept;

// In a child, before anything of the user's runs. The parent is the process that
// the kernel says; its name is the one that this process had from it.
void become(std::string name, bool daemon);
void become(Identity identity);

}  // namespace brood::process
