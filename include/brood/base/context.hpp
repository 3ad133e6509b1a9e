// SPDX-License-Identifier: MIT
#pragma once

namespace brood {

// Where workers come from.
//   forkserver  copies of the nursery, made by brood::init; the default
//   fork        copies of the program as it is when the pool or process is made
//   spawn       the program started anew, which runs main up to brood::init
//   thread      threads of this program (Pool only); nothing can be killed there
//   mpi         the other ranks of mpirun (Pool only)
enum class Context { forkserver, fork, spawn, thread, mpi };

}  // namespace brood
