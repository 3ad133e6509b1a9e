// SPDX-License-Identifier: MIT
#include "process/process_main.hpp"

#include <cxxabi.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <utility>
#include <vector>

#include <brood/wire/decode.hpp>
#include <brood/wire/encode.hpp>

#include "os/child_setup.hpp"
#include "os/memory.hpp"
#include "os/own_descriptors.hpp"
#include "wire/exception_text.hpp"

namespace brood::process {
namespace {

struct Target {
  std::string name;
  bool daemon = false;
  std::int32_t parent_pid = 0;
  std::string parent_name;
  std::vector<std::byte> bytes;
};

Target read_target(int file) {
  const os::Mapping mapped = os::map_read_only(file, os::memory_size(file));
  wire::Reader in({static_cast<const std::byte*>(mapped.data()), mapped.size()});
  return wire::decode<Target>(in);
}

void report_uncaught(const std::exception_ptr& error) {
  os::flush_all_output();
  const std::string line =
      "Exception in process " + identity().name + ": " + wire::describe_exception(error) + '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

// By exit, so that what the target registered runs: handlers, destructors of its
// statics, the wait for its threads and children. What came from the parent
// doesn't.
int exit_after(const std::function<void()>& target) {
  int code = 0;
  try {
    target();
  } catch (const abi::__forced_unwind&) {
    // pthread_exit, of the thread that was all there is to this process.
    std::exit(0);  // NOLINT(concurrency-mt-unsafe): once
  } catch (...) {
    report_uncaught(std::current_exception());
    code = 1;
  }
  std::exit(code);  // NOLINT(concurrency-mt-unsafe): once
}

}  // namespace

os::UniqueFd write_target(const Identity& identity, const wire::ErasedCall& call) {
  const auto encoded = call.encoded();
  const Target target{identity.name,
                      identity.daemon,
                      identity.parent_pid,
                      identity.parent_name,
                      {encoded.begin(), encoded.end()}};
  wire::Buffer out;
  wire::encode(out, target);
  return os::copy_to_memory("brood-target", {out.data(), out.size()});
}

int shipped_process_main(Kit& kit) {
  if (kit.descriptors.empty()) return 1;
  return exit_after([&kit] {
    Target target = read_target(kit.descriptors[0].get());
    kit.descriptors.clear();
    become(
        {std::move(target.name), target.daemon, target.parent_pid, std::move(target.parent_name)});
    wire::ErasedCall::run(target.bytes);
  });
}

int run_process(Identity identity, const wire::ErasedCall& call) {
  os::sweep_own_descriptors();  // those of the parent's objects, which are here too
  become(std::move(identity));
  return exit_after([&call] { call.call_local(); });
}

}  // namespace brood::process
