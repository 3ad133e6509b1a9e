// SPDX-License-Identifier: MIT
#include <brood/base/error.hpp>

#include <cerrno>
#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

namespace brood {
namespace {

template <typename Caught, typename Thrown>
bool catches(const Thrown& thrown) {
  try {
    throw thrown;
  } catch (const Caught&) {
    return true;
  } catch (...) {
    return false;
  }
}

template <typename Thrown>
class own_error : public testing::Test {};

using OwnErrors = testing::Types<ValueError, TimeoutError, TaskTimeout, CancelledError, ShipError,
                                 ContextError, BrokenPool>;
TYPED_TEST_SUITE(own_error, OwnErrors);

TYPED_TEST(own_error, is_caught_as_a_standard_exception_and_as_an_error_of_brood) {
  const TypeParam thrown{"cannot"};
  EXPECT_TRUE(catches<std::exception>(thrown));
  EXPECT_TRUE(catches<Error>(thrown));
}

TYPED_TEST(own_error, keeps_its_message_through_either_base) {
  const TypeParam thrown{"cannot start thread 'a': it was started"};
  const std::exception& standard = thrown;
  const Error& own = thrown;
  EXPECT_STREQ(standard.what(), "cannot start thread 'a': it was started");
  EXPECT_STREQ(own.what(), standard.what());
}

TYPED_TEST(own_error, is_none_of_the_standard_types_that_a_task_may_throw) {
  const TypeParam thrown{"cannot"};
  EXPECT_FALSE(catches<std::runtime_error>(thrown));
  EXPECT_FALSE(catches<std::logic_error>(thrown));
  EXPECT_FALSE(catches<RemoteError>(thrown));
}

TEST(error, is_an_interface_and_no_standard_exception) {
  EXPECT_TRUE(std::is_abstract_v<Error>);
  EXPECT_TRUE(std::is_abstract_v<RemoteError>);
  EXPECT_FALSE((std::is_base_of_v<std::exception, Error>));
  EXPECT_FALSE((std::is_base_of_v<std::exception, RemoteError>));
}

TEST(error, survives_being_carried_as_an_exception_pointer) {
  const auto carried = std::make_exception_ptr(ShipError("cannot ship a lambda"));
  try {
    std::rethrow_exception(carried);
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "cannot ship a lambda");
  }
}

TEST(task_timeout, is_a_timeout_error) { EXPECT_TRUE(catches<TimeoutError>(TaskTimeout{"late"})); }

TEST(system_error, carries_the_code_of_the_refusal) {
  EXPECT_EQ(SystemError(ENOMEM, "cannot map").code(), ENOMEM);
}

TEST(worker_crashed, tells_the_pid_the_signal_and_the_frames) {
  const WorkerCrashed crash{"crashed", 4711, 11, -11, {"inner", "outer"}};
  EXPECT_EQ(crash.pid(), 4711);
  EXPECT_EQ(crash.signal(), 11);
  EXPECT_EQ(crash.exit_code(), -11);
  EXPECT_EQ(crash.backtrace(), (std::vector<std::string>{"inner", "outer"}));
}

TEST(worker_crashed, has_no_frames_where_none_could_be_taken) {
  EXPECT_TRUE(WorkerCrashed("left", 4711, 0, 3).backtrace().empty());
}

TEST(memory_limit_exceeded, is_a_crash_that_knows_limit_and_peak) {
  const MemoryLimitExceeded excess{"too much", 4711, 9, -9, 1000, 1200};
  EXPECT_TRUE(catches<WorkerCrashed>(excess));
  EXPECT_EQ(excess.limit(), 1000U);
  EXPECT_EQ(excess.peak(), 1200U);
}

class RemoteRange final : public std::out_of_range, public RemoteError {
 public:
  RemoteRange() : std::out_of_range("index 7 of 3") {}
  const char* what() const noexcept override { return std::out_of_range::what(); }
  const std::string& type_name() const noexcept override { return type_name_; }
  int worker_pid() const noexcept override { return 4711; }
  const std::vector<std::string>& backtrace() const noexcept override { return frames_; }

 private:
  std::string type_name_ = "std::out_of_range";
  std::vector<std::string> frames_;
};

TEST(remote_error, joins_any_standard_type_without_a_second_standard_base) {
  EXPECT_TRUE(catches<std::out_of_range>(RemoteRange{}));
  EXPECT_TRUE(catches<std::exception>(RemoteRange{}));
  EXPECT_TRUE(catches<RemoteError>(RemoteRange{}));
  EXPECT_TRUE(catches<Error>(RemoteRange{}));
}

}  // namespace
}  // namespace brood
