// SPDX-License-Identifier: MIT
//
// Arguments and results of megabytes.
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "pool/contexts.hpp"
#include "support/scratch.hpp"
#include "support/watchdog.hpp"

namespace brood::testing {
namespace {

std::string turned(std::string text) {
  std::reverse(text.begin(), text.end());
  return text;
}

std::string numbered(std::size_t size, int number) {
  std::string text(size, static_cast<char>('a' + number % 26));
  text.replace(0, 8, std::to_string(10'000'000 + number));
  return text;
}

// Descriptors of this process whose memory has that name.
std::size_t descriptors_named(const std::string& name) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (target.find("memfd:" + name) != std::string::npos) ++count;
  }
  return count;
}

class LargeValues : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, LargeValues, every_process, name_of);

TEST_P(LargeValues, go_there_and_back_in_any_order_of_sizes) {
  Pool pool = make_pool();
  std::vector<std::string> sent;
  std::vector<AsyncResult<std::string>> results;
  for (int i = 0; i < 24; ++i) {
    const std::size_t megabytes = (static_cast<std::size_t>(i) * 7) % 3;
    sent.push_back(numbered((megabytes << 20) + 100, i));
    results.push_back(pool.apply_async(turned, sent.back()));
  }
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_TRUE(results[i].get() == turned(sent[i])) << i;
  }
}

TEST_P(LargeValues, stay_right_though_workers_die_among_them) {
  Pool pool = make_pool();
  const auto work = [](const std::string& text, int number) {
    if (number % 5 == 4) ::raise(SIGKILL);
    return turned(text);
  };
  std::vector<AsyncResult<std::string>> results;
  for (int i = 0; i < 20; ++i) {
    results.push_back(pool.apply_async(work, numbered(std::size_t{2} << 20, i), i));
  }
  for (int i = 0; i < 20; ++i) {
    auto& result = results[static_cast<std::size_t>(i)];
    if (i % 5 == 4) {
      EXPECT_THROW(result.get(), WorkerCrashed);
    } else {
      EXPECT_TRUE(result.get() == turned(numbered(std::size_t{2} << 20, i))) << i;
    }
  }
}

TEST_P(LargeValues, are_there_again_for_a_second_try) {
  Pool pool = make_pool();
  const Scratch folder;
  const std::string text = numbered(std::size_t{2} << 20, 3);
  const auto die_at_first = [](const std::string& path, const std::string& given) {
    if (std::filesystem::create_directory(path)) ::raise(SIGKILL);
    return turned(given);
  };
  const auto tried = pool.apply_async({.retries = 1}, die_at_first, folder.path("died"), text);
  // Others come and go meanwhile.
  for (int i = 0; i < 10; ++i) {
    const std::string other = numbered(std::size_t{2} << 20, i);
    EXPECT_TRUE(pool.apply(turned, other) == turned(other));
  }
  EXPECT_TRUE(tried.get() == turned(text));
}

// It goes on though nobody waits for it any more, and reads its argument where it lies.
TEST_P(LargeValues, stay_as_they_were_for_a_cancelled_task) {
  Pool pool = make_pool();
  const Scratch folder;
  const auto read_until_stopped = [](std::span<const char> text, const std::string& seen) {
    {
      const std::ofstream begun(seen + "begun");
    }
    bool is_right = true;
    const auto look = [&] {
      is_right &= std::all_of(text.begin(), text.end(), [](char c) { return c == 'k'; });
    };
    while (!std::filesystem::exists(seen + "end")) look();
    look();
    const std::ofstream said(seen + (is_right ? "right" : "wrong"));
  };
  const auto is_there = [&](const char* name) {
    return Watchdog().sees([&] { return std::filesystem::exists(folder.path(name)); });
  };
  auto cancelled = pool.apply_async(read_until_stopped,
                                    std::vector<char>(std::size_t{2} << 20, 'k'), folder.path(""));
  ASSERT_TRUE(is_there("begun"));
  EXPECT_TRUE(cancelled.cancel(Timeout{}));
  for (int i = 0; i < 20; ++i) {
    const std::string other = numbered(std::size_t{2} << 20, i);
    EXPECT_TRUE(pool.apply(turned, other) == turned(other));
  }
  {
    const std::ofstream end(folder.path("end"));
  }
  EXPECT_TRUE(is_there("right"));
}

TEST_P(LargeValues, wait_in_line_though_they_are_many) {
  Pool pool = make_pool();
  std::vector<AsyncResult<std::string>> results;
  for (int i = 0; i < 60; ++i) {
    results.push_back(pool.apply_async(turned, numbered(std::size_t{1} << 20, i)));
  }
  EXPECT_LE(descriptors_named("brood-request"), 16u + 2 * 2);
  for (int i = 0; i < 60; ++i) {
    EXPECT_TRUE(results[static_cast<std::size_t>(i)].get() ==
                turned(numbered(std::size_t{1} << 20, i)))
        << i;
  }
}

TEST_P(LargeValues, leave_no_descriptor_a_while_after_them) {
  Pool pool = make_pool(1);
  const std::string text = numbered(std::size_t{3} << 20, 1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.apply(turned, text) == turned(text));
  EXPECT_EQ(descriptors_named("brood-answer"), 0u);
  EXPECT_TRUE(Watchdog().sees([] { return descriptors_named("brood-request") == 0; }));
  EXPECT_TRUE(pool.apply(turned, text) == turned(text));
}

TEST_P(LargeValues, leave_no_descriptor_though_small_ones_follow) {
  Pool pool = make_pool(1);
  const std::string text = numbered(std::size_t{3} << 20, 1);
  EXPECT_TRUE(pool.apply(turned, text) == turned(text));
  EXPECT_TRUE(Watchdog().sees([&] {
    EXPECT_EQ(pool.apply(turned, std::string("small")), "llams");
    return descriptors_named("brood-request") == 0;
  }));
}

// A value that counts its copies.
struct Counted {
  static inline int copies = 0;
  std::vector<int> numbers;

  Counted() = default;
  explicit Counted(std::size_t size) : numbers(size, 1) {}
  Counted(const Counted& other) : numbers(other.numbers) { ++copies; }
  Counted& operator=(const Counted&) = delete;

  template <typename Archive>
  void serialize(Archive& archive) {
    archive(numbers);
  }
};

TEST(LargeArguments, are_not_copied_before_they_are_encoded) {
  Pool pool{1};
  const Counted given(1000);
  EXPECT_EQ(pool.apply([](const Counted& counted) { return counted.numbers.size(); }, given),
            1000u);
  EXPECT_EQ(Counted::copies, 0);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
