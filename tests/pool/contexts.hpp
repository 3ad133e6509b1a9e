// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include <brood/brood.hpp>

// One specification, every context: a suite that derives from AllContexts runs
// over threads and the three kinds of processes, one from Processes over those.
namespace brood::testing {

using namespace std::chrono_literals;

inline std::string name_of(const ::testing::TestParamInfo<Context>& info) {
  switch (info.param) {
    case Context::forkserver: return "forkserver";
    case Context::fork: return "fork";
    case Context::spawn: return "spawn";
    case Context::thread: return "thread";
    case Context::mpi: return "mpi";
  }
  return "unknown";
}

class AllContexts : public ::testing::TestWithParam<Context> {
 protected:
  PoolOptions options(Count processes = 2) const {
    return {.processes = processes, .context = GetParam()};
  }
  Pool make_pool(Count processes = 2) const { return Pool(options(processes)); }
};

class Processes : public AllContexts {};

inline const auto every_context =
    ::testing::Values(Context::thread, Context::forkserver, Context::fork, Context::spawn);
inline const auto every_process =
    ::testing::Values(Context::forkserver, Context::fork, Context::spawn);

}  // namespace brood::testing

#define BROOD_CONTRACT_MAIN               \
  int main(int argc, char** argv) {       \
    brood::init(argc, argv);              \
    testing::InitGoogleTest(&argc, argv); \
    return RUN_ALL_TESTS();               \
  }
