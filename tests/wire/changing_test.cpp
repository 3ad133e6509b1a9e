// SPDX-License-Identifier: MIT
//
// Bytes that another process writes to while they are decoded.
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <brood/base/error.hpp>

#include "wire/round_trip.hpp"

namespace brood::wire {
namespace {

struct Point {
  double x = 0;
  double y = 0;
};

struct Picture {
  int width = 7;
  std::string name = "a name that is longer than the room inside of a string";
  std::vector<Point> points = std::vector<Point>(50);
  std::pair<std::u16string, std::vector<std::uint8_t>> rest{u"sixteen", {1, 2, 3}};
};

struct Switched {
  bool is_on = false;
};

struct Taught {
  std::vector<int> numbers;
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(numbers);
  }
};

static_assert(is_copied_in_runs<std::string>);
static_assert(is_copied_in_runs<std::u16string>);
static_assert(is_copied_in_runs<std::vector<int>>);
static_assert(is_copied_in_runs<std::vector<Point>>);
static_assert(is_copied_in_runs<std::tuple<int, std::vector<double>>>);
static_assert(is_copied_in_runs<Picture>);
// A bool is looked at before it's copied; all else takes more than a few copies.
static_assert(!is_copied_in_runs<bool>);
static_assert(!is_copied_in_runs<std::vector<bool>>);
static_assert(!is_copied_in_runs<std::vector<Switched>>);
static_assert(!is_copied_in_runs<std::vector<std::string>>);
static_assert(!is_copied_in_runs<std::pair<int, std::map<int, int>>>);
static_assert(!is_copied_in_runs<std::optional<std::vector<int>>>);
static_assert(!is_copied_in_runs<std::unique_ptr<int>>);
static_assert(!is_copied_in_runs<Taught>);

TEST(Runs, take_as_many_bytes_as_are_said) {
  const auto expect_right = [](const auto& value) {
    const std::size_t said = bytes_in_runs(value);
    EXPECT_LE(said, bytes_of(value).size());
    EXPECT_GE(said + 64, bytes_of(value).size());  // but for padding
  };
  expect_right(Picture{});
  expect_right(std::string(1000, 'x'));
  expect_right(std::u16string(1000, u'x'));
  expect_right(std::vector<Point>(300));
  expect_right(std::tuple(1, std::vector<int>(100), std::pair('c', std::string(50, 'y'))));
}

// Memory of two processes, with an encoded value in it.
class Shared {
 public:
  explicit Shared(const std::vector<std::byte>& bytes)
      : bytes_(static_cast<std::byte*>(::mmap(nullptr, bytes.size(), PROT_READ | PROT_WRITE,
                                              MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
               bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
  }
  ~Shared() { ::munmap(bytes_.data(), bytes_.size()); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  std::span<const std::byte> view() const noexcept { return bytes_; }

  // Writes one thing and another to each word of it, and what was there, over and over.
  [[noreturn]] void change() const {
    const std::uint64_t lies[] = {0, 1, 49, 51, bytes_.size(), ~std::uint64_t{0}};
    for (;;) {
      for (std::size_t at = 0; at + sizeof(std::uint64_t) <= bytes_.size(); at += 4) {
        std::uint64_t right = 0;
        std::memcpy(&right, bytes_.data() + at, sizeof right);
        for (const std::uint64_t lie : lies) {
          std::memcpy(bytes_.data() + at, &lie, sizeof lie);
          asm volatile("" ::: "memory");
        }
        std::memcpy(bytes_.data() + at, &right, sizeof right);
        asm volatile("" ::: "memory");
      }
    }
  }

 private:
  std::span<std::byte> bytes_;
};

// The sanitizers watch.
TEST(ChangingBytes, give_some_value_or_an_error) {
  const Shared shared(bytes_of(Picture{}));
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    shared.change();
  }
  ASSERT_GT(child, 0);
  std::size_t refused = 0;
  std::size_t changed = 0;
  std::size_t whole = 0;
  while (refused < 200 || changed < 200 || whole < 200) {
    try {
      Reader in(shared.view());
      const auto got = decode<Picture>(in);
      const bool is_whole = got.name == Picture{}.name && got.points.size() == 50 &&
                            got.rest == Picture{}.rest && in.at_end();
      ++(is_whole ? whole : changed);
      ASSERT_LE(got.points.size() * sizeof(Point) + got.name.size(), shared.view().size());
    } catch (const ShipError&) {
      ++refused;
    }
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace brood::wire
