// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/brood.hpp>

#include "process/targets.hpp"

namespace brood::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(ProcessInContext, that_is_not_fork_has_no_further_descriptor) {
  const Scratch scratch;
  const std::string file = scratch.path("told");
  const int extra = ::dup(2);
  for (int i = 0; i < 5; ++i) {
    Process process(tell_descriptors, file);
    process.start();
    process.join();
  }
  ::close(extra);
  EXPECT_EQ(read_file(file), "3\n3\n3\n3\n3\n");
}

// In a program that has none of the three standard streams: prints a lot and sees
// whether brood still works. Its exit code.
int prints_into_nothing() {
  for (const int fd : {0, 1, 2}) ::close(fd);
  init();
  const std::string noise(100'000, '!');
  const bool refused = ::write(1, noise.data(), noise.size()) == -1 && errno == EBADF;
  std::fwrite(noise.data(), 1, noise.size(), stdout);
  std::fflush(stdout);
  Process process(seven);
  process.start();
  process.join();
  return refused && process.exitcode() == 0 ? 0 : 1;
}

TEST(Program, without_standard_streams_does_not_print_into_broods_channels) {
  const int pid = ::fork();
  if (pid == 0) ::_exit(prints_into_nothing());
  int status = -1;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(ProcessInContext, fork_has_what_the_program_has) {
  const Scratch scratch;
  const std::string file = scratch.path("told");
  const int extra = ::dup(2);
  Process process({.context = Context::fork},
                  [&] { write_file(file, ::fcntl(extra, F_GETFD) != -1 ? "yes" : "no"); });
  process.start();
  process.join();
  ::close(extra);
  EXPECT_EQ(read_file(file), "yes");
}

TEST(ProcessInContext, fork_takes_any_closure) {
  const Scratch scratch;
  const std::string file = scratch.path("told");
  const std::string text = "captured by reference";
  auto owned = std::make_shared<int>(5);
  Process process(
      {.context = Context::fork},
      [&text, owned](const std::string& told, const int* pointer) {
        write_file(told, text + std::to_string(*owned) + std::to_string(*pointer));
      },
      file, owned.get());
  EXPECT_EQ(owned.use_count(), 2);
  process.start();
  EXPECT_EQ(owned.use_count(), 1) << "the target is let go after the start";
  process.join();
  EXPECT_EQ(read_file(file), "captured by reference55");
}

TEST(ProcessInContext, forkserver_refuses_what_cannot_travel) {
  int here = 0;
  const std::string text;
  EXPECT_THAT([&] { Process({.name = "x"}, [&here] { ++here; }); },
              ThrowsMessage<ShipError>(HasSubstr("captured")));
  EXPECT_THAT([&] { Process({.name = "x"}, [text] { return text.size(); }); },
              ThrowsMessage<ShipError>(AllOf(HasSubstr("forkserver"), HasSubstr("Context::fork"))));
  EXPECT_THROW(Process({.context = Context::spawn}, [text] { return text.size(); }), ShipError);
  EXPECT_THROW(Process(local([&here] { ++here; })), ShipError);
}

TEST(ProcessInContext, fork_names_the_threads_that_forbid_it) {
  std::atomic<bool> end{false};
  Thread thread({.name = "bystander"}, [&end] { end.wait(false); });
  thread.start();
  Process process({.context = Context::fork}, nothing);
  EXPECT_THAT([&] { process.start(); }, ThrowsMessage<ContextError>(HasSubstr("bystander")));
  end = true;
  end.notify_all();
  thread.join();
  process.start();  // it is as it was before
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
}

// Runs the body with a descriptor of this process going to a file.
template <typename Body>
std::string redirected(int fd, const std::string& file, const Body& body) {
  std::fflush(nullptr);
  const int kept = ::dup(fd);
  const int to = ::open(file.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  ::dup2(to, fd);
  ::close(to);
  body();
  std::fflush(nullptr);
  ::dup2(kept, fd);
  ::close(kept);
  return read_file(file);
}

TEST(ProcessOutput, tells_the_exception_that_ended_it) {
  const Scratch scratch;
  const std::string printed = redirected(2, scratch.path("err"), [] {
    Process process({.name = "unlucky", .context = Context::fork}, fail);
    process.start();
    process.join();
  });
  EXPECT_EQ(printed, "Exception in process unlucky: std::runtime_error: no luck\n");
}

TEST(ProcessOutput, appears_once) {
  const Scratch scratch;
  const std::string printed = redirected(1, scratch.path("out"), [] {
    std::printf("before ");
    std::cout << "and before ";
    Process process({.context = Context::fork}, [] {
      std::printf("within ");
      std::cout << "and within ";
    });
    process.start();
    process.join();
    std::printf("after");
  });
  EXPECT_EQ(printed, "before and before within and within after");
}

TEST(ProcessOutput, may_be_closed) {
  Process outer({.context = Context::fork}, [] {
    ::close(1);
    ::close(2);
    Process inner({.context = Context::fork}, [] { std::printf("to nobody"); });
    inner.start();
    inner.join();
    std::exit(inner.exitcode() == 0 ? 0 : 1);
  });
  outer.start();
  outer.join();
  EXPECT_EQ(outer.exitcode(), 0);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
