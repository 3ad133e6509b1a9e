// SPDX-License-Identifier: MIT
//
// A program that is short of something: each of its calls succeeds, or is refused
// with one error that says what is missing.
#include <sys/resource.h>

#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/census.hpp"
#include "support/program.hpp"

namespace brood::testing {
namespace {

using ::testing::Combine;
using ::testing::ContainsRegex;
using ::testing::IsEmpty;
using ::testing::Range;
using ::testing::StartsWith;
using ::testing::Values;

void limit(__rlimit_resource resource, rlim_t amount) {
  const struct rlimit both{amount, amount};
  if (::setrlimit(resource, &both) != 0) ::_exit(125);
}

class Scarcity : public ::testing::TestWithParam<const char*> {
 protected:
  // True when it was refused, with an error that mentions one of the words.
  bool is_refused(const Program::Setup& setup, const std::string& words) {
    const Census before = Census::take();
    bool refused = false;
    {
      Program program({VICTIM_EXERCISER, GetParam()}, setup);
      const auto code = program.exitcode();
      EXPECT_EQ(program.leftovers(), "");
      EXPECT_TRUE(program.falls_silent());
      EXPECT_THAT(program.files(), IsEmpty());
      refused = code != 0;
      if (refused) {
        EXPECT_EQ(code, 3);
        EXPECT_THAT(program.output(), StartsWith("error: cannot "));
        EXPECT_THAT(program.output(), ContainsRegex(words));
        EXPECT_EQ(std::count(program.output().begin(), program.output().end(), '\n'), 1)
            << program.output();
      } else {
        EXPECT_EQ(program.output(), "all is well\n");
      }
    }
    EXPECT_EQ(left_since(before), "");
    return refused;
  }
};
std::string name_of(const ::testing::TestParamInfo<const char*>& info) { return info.param; }
INSTANTIATE_TEST_SUITE_P(contexts, Scarcity, Values("forkserver", "fork", "spawn"), name_of);

// Too few for the pool itself, then enough.
TEST_P(Scarcity, of_descriptors_is_named) {
  for (const rlim_t most : {6U, 7U, 8U, 9U, 10U, 11U, 12U, 13U, 14U, 15U, 64U}) {
    SCOPED_TRACE(std::to_string(most) + " descriptors");
    const bool refused = is_refused(
        [&] {
          // Those of whoever started the test count too.
          for (int fd = 3; fd < 64; ++fd) ::close(fd);
          limit(RLIMIT_NOFILE, most);
        },
        "open files");
    EXPECT_EQ(refused, most < 64);
  }
}

// Root has as many processes as it likes.
void become_nobody() {
  constexpr unsigned nobody = 61234;
  if (::getuid() == 0 && ::setuid(nobody) != 0) ::_exit(125);
}

TEST_P(Scarcity, of_processes_is_named) {
  for (rlim_t most = 1; most < 12; ++most) {
    SCOPED_TRACE(std::to_string(most) + " processes");
    is_refused(
        [&] {
          if (::chdir("/") != 0) ::_exit(125);
          become_nobody();
          limit(RLIMIT_NPROC, most);
        },
        "ulimit -u");
  }
}

TEST_P(Scarcity, of_address_space_is_named) {
  for (rlim_t size = 12; size < 60; size += 2) {
    SCOPED_TRACE(std::to_string(size) + " MiB");
    is_refused([&] { limit(RLIMIT_AS, size << 20); }, "memory|ulimit -v");
  }
}

TEST_P(Scarcity, of_file_sizes_is_named) {
  for (const rlim_t size :
       {0U, 4096U, 1U << 16, 1U << 20, 1U << 21, 1U << 22, 1U << 23, 1U << 26}) {
    SCOPED_TRACE(std::to_string(size) + " bytes");
    is_refused([&] { limit(RLIMIT_FSIZE, size); }, "ulimit -f");
  }
}

// A program may be started with any of 0, 1 and 2 closed, and must not find brood's
// descriptors there. Each bit closes one.
class ClosedDescriptors : public ::testing::TestWithParam<std::tuple<const char*, int>> {};

TEST_P(ClosedDescriptors, do_not_get_in_the_way) {
  const char* const context = std::get<0>(GetParam());
  const int closed = std::get<1>(GetParam());
  const Census before = Census::take();
  {
    Program program({VICTIM_EXERCISER, context}, [closed] {
      for (int fd = 0; fd < 3; ++fd) {
        if ((closed & (1 << fd)) != 0) ::close(fd);
      }
    });
    EXPECT_EQ(program.exitcode(), 0);
    EXPECT_EQ(program.leftovers(), "");
    EXPECT_TRUE(program.falls_silent());
    EXPECT_EQ(program.output(), (closed & 2) != 0 ? "" : "all is well\n");
  }
  EXPECT_EQ(left_since(before), "");
}

std::string case_name(const ::testing::TestParamInfo<std::tuple<const char*, int>>& info) {
  const auto& [context, closed] = info.param;
  std::string name = std::string(context) + "_without";
  for (int fd = 0; fd < 3; ++fd) {
    if ((closed & (1 << fd)) != 0) name += '_' + std::to_string(fd);
  }
  return name;
}
INSTANTIATE_TEST_SUITE_P(contexts, ClosedDescriptors,
                         Combine(Values("forkserver", "fork", "spawn"), Range(1, 8)), case_name);

}  // namespace
}  // namespace brood::testing
