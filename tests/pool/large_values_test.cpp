// SPDX-License-Identifier: MIT
//
// Arguments and results of megabytes.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
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

template <typename F>
auto transformed(const std::vector<int>& numbers, F f) {
  std::vector<decltype(f(0))> results;
  std::transform(numbers.begin(), numbers.end(), std::back_inserter(results), f);
  return results;
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

// Some of them are made where they arrive, some are copied first.
struct Picture {
  int width = 0;
  std::string name;
  std::vector<double> pixels;

  friend bool operator==(const Picture&, const Picture&) = default;
};

Picture picture(int number) {
  return {number, numbered(std::size_t{1} << 19, number),
          std::vector<double>(std::size_t{1} << 17, number)};
}
std::vector<std::string> texts(int number) {
  return std::vector<std::string>(40, numbered(std::size_t{1} << 15, number));
}
std::vector<int> numbers(int number) { return std::vector<int>(std::size_t{1} << 19, number); }

TEST_P(LargeValues, of_any_kind_come_back_again_and_again) {
  Pool pool = make_pool();
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(pool.apply(picture, i) == picture(i)) << i;
    EXPECT_TRUE(pool.apply(texts, i) == texts(i)) << i;
    EXPECT_TRUE(pool.apply(numbers, i) == numbers(i)) << i;
  }
  std::vector<AsyncResult<Picture>> pictures;
  std::vector<AsyncResult<std::vector<std::string>>> many;
  for (int i = 0; i < 6; ++i) {
    pictures.push_back(pool.apply_async(picture, i));
    many.push_back(pool.apply_async(texts, i));
  }
  pool.apply_async(picture, 7).wait();  // nobody asks what it is
  for (int i = 5; i >= 0; --i) {
    const auto at = static_cast<std::size_t>(i);
    const Picture& seen = pictures[at].get();
    EXPECT_TRUE(seen == picture(i)) << i;
    EXPECT_EQ(&seen, &pictures[at].get());
    EXPECT_TRUE(many[at].get() == texts(i)) << i;
    EXPECT_TRUE(std::move(pictures[at]).get() == picture(i)) << i;
  }
  const std::vector<int> several{1, 2, 3, 4, 5, 6};
  EXPECT_TRUE(pool.map(picture, several) == transformed(several, picture));
  EXPECT_TRUE(pool.map(numbers, several) == transformed(several, numbers));
}

// Each is encoded when its worker is given it, or before.
TEST_P(LargeValues, are_items_of_maps) {
  Pool pool = make_pool();
  std::vector<std::string> items;
  for (int i = 0; i < 14; ++i) {
    items.push_back(numbered(i % 3 == 0 ? std::size_t{2} << 20 : 1000, i));
  }
  const auto kept = items;
  const auto turned_items = [&] {
    std::vector<std::string> results;
    for (const auto& item : kept) results.push_back(turned(item));
    return results;
  }();
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(pool.map(turned, items) == turned_items);
    EXPECT_TRUE(pool.map(turned, std::span<const std::string>(items), 3) == turned_items);
    EXPECT_TRUE(pool.map_async(turned, items).get() == turned_items);
    EXPECT_TRUE(pool.map_async(turned, std::vector(items)).get() == turned_items);
    std::vector<std::string> lazily;
    for (auto& text : pool.imap(turned, items)) lazily.push_back(std::move(text));
    EXPECT_TRUE(lazily == turned_items);
    EXPECT_TRUE(items == kept);
  }
  std::vector<std::tuple<std::string, int>> pairs;
  for (int i = 0; i < 5; ++i) pairs.emplace_back(items[static_cast<std::size_t>(i)], i);
  const auto sizes = pool.starmap(
      [](const std::string& text, int number) { return text.size() + std::size_t(number); }, pairs);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(sizes[i], items[i].size() + i);
}

TEST_P(LargeValues, are_items_once_more_after_a_crash) {
  Pool pool = make_pool();
  const Scratch folder;
  std::vector<std::pair<std::string, std::string>> items;
  for (int i = 0; i < 8; ++i) {
    items.emplace_back(folder.path(std::to_string(i)), numbered(std::size_t{1} << 20, i));
  }
  const auto die_at_first = [](const std::pair<std::string, std::string>& item) {
    if (std::filesystem::create_directory(item.first)) ::raise(SIGKILL);
    return turned(item.second);
  };
  const auto results = pool.map({.retries = 1}, die_at_first, items);
  for (std::size_t i = 0; i < items.size(); ++i) {
    EXPECT_TRUE(results[i] == turned(items[i].second)) << i;
  }
  const auto outcomes = pool.map_outcomes(
      [](const std::pair<std::string, std::string>& item) {
        if (item.first.back() == '3') ::raise(SIGKILL);
        return turned(item.second);
      },
      items);
  for (std::size_t i = 0; i < items.size(); ++i) {
    EXPECT_EQ(outcomes[i].ok(), i != 3) << i;
    if (outcomes[i].ok()) {
      EXPECT_TRUE(outcomes[i].value() == turned(items[i].second)) << i;
    }
  }
}

// The caller's array goes with the map, whatever ended that.
TEST_P(LargeValues, are_not_read_any_more_when_their_map_has_ended) {
  const Scratch folder;
  for (int round = 0; round < 3; ++round) {
    Pool pool = make_pool();
    const std::string begun = folder.path("begun" + std::to_string(round));
    std::jthread ender([&] {
      EXPECT_TRUE(Watchdog().sees([&] { return std::filesystem::exists(begun); }));
      pool.terminate();
    });
    const std::vector<std::pair<std::string, std::string>> items(
        300, {begun, numbered(std::size_t{1} << 18, round)});
    EXPECT_ANY_THROW(pool.map(
        [](const std::pair<std::string, std::string>& item) {
          std::filesystem::create_directory(item.first);
          for (;;) ::pause();
        },
        items));
  }
}

// Over all memory that it shares with the program for large results.
std::size_t go_astray() {
  std::ifstream maps("/proc/self/maps");
  std::size_t spoilt = 0;
  for (std::string line; std::getline(maps, line);) {
    if (line.find("brood-answer") == std::string::npos || line[line.find(' ') + 2] != 'w') continue;
    const auto begin = std::stoull(line, nullptr, 16);
    const auto end = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
    std::fill_n(reinterpret_cast<char*>(begin), end - begin, 'x');
    spoilt += end - begin;
  }
  return spoilt;
}

TEST_P(LargeValues, are_out_of_the_reach_of_later_tasks) {
  Pool pool = make_pool(1);
  std::size_t spoilt = 0;
  // A worker that is woken for nothing may have let go of it.
  for (int i = 0; i < 4 || spoilt < std::size_t{4} << 20; ++i) {
    const auto picture_first = pool.apply_async(picture, i);
    const auto texts_then = pool.apply_async(texts, i);
    EXPECT_TRUE(texts_then.wait());
    spoilt += pool.apply(go_astray);
    EXPECT_TRUE(picture_first.get() == picture(i)) << i;
    EXPECT_TRUE(texts_then.get() == texts(i)) << i;
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
