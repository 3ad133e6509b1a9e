// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <cereal/types/memory.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/base/error.hpp>

#include "wire/round_trip.hpp"

// Every way that users have to teach cereal a type.
namespace brood::wire {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

struct Plain {
  int number = 0;
  std::vector<std::string> words;
  bool operator==(const Plain&) const = default;
};

struct Member {
  int number = 0;
  Plain plain;
  std::map<std::string, int> counts;
  char code[4] = {};
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(number, cereal::make_nvp("plain", plain), counts);
    archive & code;
  }
  bool operator==(const Member&) const = default;
};

struct NonMember {
  std::string text;
  bool operator==(const NonMember&) const = default;
};
template <typename Archive>
void serialize(Archive& archive, NonMember& value) {
  archive(value.text);
}

class Split {
 public:
  Split() = default;
  explicit Split(int number) : doubled_(2 * number) {}
  int doubled() const { return doubled_; }
  template <typename Archive>
  void save(Archive& archive) const {
    archive(doubled_ / 2);
  }
  template <typename Archive>
  void load(Archive& archive) {
    archive(doubled_);
    doubled_ *= 2;
  }

 private:
  int doubled_ = 0;
};

struct NonMemberSplit {
  int number = 0;
};
template <typename Archive>
void save(Archive& archive, const NonMemberSplit& value) {
  archive(value.number);
}
template <typename Archive>
void load(Archive& archive, NonMemberSplit& value) {
  archive(value.number);
}

struct Minimal {
  std::string text;
  template <typename Archive>
  std::string save_minimal(const Archive&) const {
    return text;
  }
  template <typename Archive>
  void load_minimal(const Archive&, const std::string& value) {
    text = value;
  }
};

class Private {
 public:
  explicit Private(int number) : number_(number) {}
  int number() const { return number_; }

 private:
  friend class cereal::access;
  Private() = default;
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(number_);
  }
  int number_ = 0;
};

struct Versioned {
  int number = 0;
  std::uint32_t seen = 0;
  template <typename Archive>
  void serialize(Archive& archive, const std::uint32_t version) {
    seen = version;
    archive(number);
  }
};

struct Animal {
  std::string name;
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(name);
  }
};
struct Dog : Animal, Plain {
  int age = 0;
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(cereal::base_class<Animal>(this), cereal::base_class<Plain>(this), age);
  }
};

struct Silent {
  template <typename Archive>
  void serialize(Archive&) {}
};

// An aggregate whose own function sends less than the automatic way would.
struct Choosy {
  int kept = 0;
  int dropped = 0;
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(kept);
  }
};

struct Shared {
  std::shared_ptr<int> first;
  std::shared_ptr<int> second;
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(first, second);
  }
};

struct Raw {
  std::vector<float> numbers;
  template <typename Archive>
  void save(Archive& archive) const {
    archive(cereal::make_size_tag(static_cast<cereal::size_type>(numbers.size())));
    archive(cereal::binary_data(numbers.data(), numbers.size() * sizeof(float)));
  }
  template <typename Archive>
  void load(Archive& archive) {
    cereal::size_type size = 0;
    archive(cereal::make_size_tag(size));
    numbers.resize(static_cast<std::size_t>(size));
    archive(cereal::binary_data(numbers.data(), numbers.size() * sizeof(float)));
  }
};

struct Refusing {
  bool refuses = false;
  template <typename Archive>
  void save(Archive& archive) const {
    if (refuses) throw std::runtime_error("not today");
    archive(refuses);
  }
  template <typename Archive>
  void load(Archive&) {
    throw std::runtime_error("nor tomorrow");
  }
};

struct Chain {
  std::unique_ptr<Chain> next;
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(next);
  }
};

TEST(hook, member_serialize_is_called) {
  const Member member{3, {4, {"a", "b"}}, {{"one", 1}}, "abc"};
  EXPECT_EQ(sent(member), member);
  EXPECT_EQ(sent(std::vector(3, member)), std::vector(3, member));
}

TEST(hook, non_member_serialize_is_called) {
  EXPECT_EQ(sent(NonMember{"text"}), NonMember{"text"});
}

TEST(hook, save_and_load_are_called) {
  EXPECT_EQ(sent(Split(21)).doubled(), 42);
  EXPECT_EQ(sent(NonMemberSplit{4}).number, 4);
}

TEST(hook, save_minimal_and_load_minimal_are_called) {
  EXPECT_EQ(sent(Minimal{"short"}).text, "short");
}

TEST(hook, private_functions_are_called_where_cereal_is_a_friend) {
  EXPECT_EQ(sent(Private(4)).number(), 4);
  EXPECT_EQ(sent(std::vector{Private(4), Private(5)})[1].number(), 5);
}

TEST(hook, class_versions_arrive) {
  const auto arrived = sent(std::vector{Versioned{1}, Versioned{2}});
  EXPECT_EQ(arrived[1].number, 2);
  EXPECT_EQ(arrived[0].seen, 7U);
  EXPECT_EQ(arrived[1].seen, 7U);
}

TEST(hook, base_classes_are_sent_with_and_without_a_function_of_their_own) {
  Dog dog;
  dog.name = "rex";
  dog.words = {"sit"};
  dog.age = 3;
  const Dog arrived = sent(dog);
  EXPECT_EQ(arrived.name, "rex");
  EXPECT_EQ(arrived.words, dog.words);
  EXPECT_EQ(arrived.age, 3);
}

TEST(hook, goes_before_the_automatic_way) { EXPECT_EQ(sent(Choosy{1, 2}).dropped, 0); }

TEST(hook, that_writes_nothing_still_takes_a_byte) {
  EXPECT_EQ(bytes_of(Silent()).size(), 1U);
  EXPECT_EQ(sent(std::vector<Silent>(3)).size(), 3U);
}

TEST(hook, inside_an_aggregate_inside_a_container_is_called) {
  struct Outer {
    std::string name;
    Split split;
  };
  const auto arrived = sent(std::map<int, Outer>{{1, {"one", Split(4)}}});
  EXPECT_EQ(arrived.at(1).split.doubled(), 8);
}

TEST(hook, shared_pointers_stay_shared_within_one_value) {
  const auto one = std::make_shared<int>(5);
  const Shared arrived = sent(Shared{one, one});
  EXPECT_EQ(*arrived.first, 5);
  EXPECT_EQ(arrived.first, arrived.second);
  const auto several = sent(std::vector{Shared{one, nullptr}, Shared{one, nullptr}});
  EXPECT_EQ(several[0].first, several[1].first);
}

TEST(hook, cereals_own_functions_for_shared_pointers_serve) {
  const auto arrived = sent(std::make_shared<std::string>("text"));
  EXPECT_EQ(*arrived, "text");
}

TEST(hook, sizes_and_binary_data_travel) {
  EXPECT_EQ(sent(Raw{{1, 2, 3}}).numbers, (std::vector<float>{1, 2, 3}));
  EXPECT_TRUE(sent(Raw{}).numbers.empty());
}

TEST(hook, a_size_that_the_message_cannot_hold_is_refused) {
  auto bytes = bytes_of(Raw{{1, 2, 3}});
  bytes[7] = std::byte{0x7F};
  Reader in(bytes);
  EXPECT_THAT([&] { decode<Raw>(in); }, ThrowsMessage<ShipError>(HasSubstr("elements")));
}

TEST(hook, that_throws_gives_a_ship_error_with_its_words) {
  EXPECT_THAT([] { bytes_of(Refusing{true}); },
              ThrowsMessage<ShipError>(AllOf(HasSubstr("cannot encode"), HasSubstr("Refusing"),
                                             HasSubstr("not today"))));
  EXPECT_THAT([] { sent(Refusing{}); }, ThrowsMessage<ShipError>(AllOf(HasSubstr("cannot decode"),
                                                                       HasSubstr("nor tomorrow"))));
}

TEST(hook, that_throws_leaves_the_writer_usable) {
  Buffer out;
  EXPECT_THROW(encode(out, Refusing{true}), ShipError);
  out.clear();
  encode(out, Split(1));
  Reader in(out.view());
  EXPECT_EQ(decode<Split>(in).doubled(), 2);
}

TEST(hook, that_nests_without_end_is_stopped) {
  Chain chain;
  for (Chain* last = &chain; last != nullptr; last = last->next.get()) {
    static int links = 0;
    if (++links < 5000) last->next = std::make_unique<Chain>();
  }
  EXPECT_THAT([&] { bytes_of(chain); }, ThrowsMessage<ShipError>(HasSubstr("levels deep")));

  std::vector<std::byte> claims;
  for (int link = 0; link < 100'000; ++link) {
    claims.push_back(std::byte{0});  // what stands for the hook
    claims.push_back(std::byte{1});  // and one more follows
  }
  Reader in(claims);
  EXPECT_THAT([&] { decode<Chain>(in); }, ThrowsMessage<ShipError>(HasSubstr("levels deep")));
}

}  // namespace
}  // namespace brood::wire

CEREAL_CLASS_VERSION(brood::wire::Versioned, 7)
