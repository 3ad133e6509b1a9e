// SPDX-License-Identifier: MIT
#include <deque>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pool/facts.hpp"

// Every kind of input that a map may be given, and every kind of braces.
namespace brood::testing {
namespace {

using Ints = std::vector<int>;
using Texts = std::vector<std::string>;

std::string up(const std::string& text) { return text + "!"; }
std::string show(int a, double b, std::string c) {
  return c + std::to_string(a) + "/" + std::to_string(static_cast<int>(b));
}
std::string shout(std::string key, int value) { return key + std::to_string(value); }
void nothing(int) {}

struct Record {
  int number = 0;
  double weight = 0;
  std::string name;
};
std::string name_of_record(const Record& record) {
  return record.name + std::to_string(record.number);
}

// An input iterator and nothing more, over a counter that only the reader may touch.
class Generator {
 public:
  explicit Generator(int end) : end_(end) {}
  Generator(Generator&&) = default;
  Generator& operator=(Generator&&) = default;

  struct Iterator {
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    Generator* of = nullptr;
    Iterator() = default;
    explicit Iterator(Generator* generator) : of(generator) {}
    Iterator(Iterator&&) = default;
    Iterator& operator=(Iterator&&) = default;
    int operator*() const { return of->at_; }
    Iterator& operator++() {
      ++of->at_;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return of->at_ == of->end_; }
  };
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  int at_ = 1;
  int end_;
};
static_assert(std::ranges::input_range<Generator>);
static_assert(!std::copyable<Generator>);

class Ranges : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, Ranges, every_context, name_of);

TEST_P(Ranges, of_every_kind_go_through_map) {
  Pool pool = make_pool();
  const Ints squares{1, 4, 9};
  EXPECT_EQ(pool.map(square, Ints{1, 2, 3}), squares);
  const Ints fixed{1, 2, 3};
  EXPECT_EQ(pool.map(square, fixed), squares);
  EXPECT_EQ(pool.map(square, std::list{1, 2, 3}), squares);
  EXPECT_EQ(pool.map(square, std::deque{1, 2, 3}), squares);
  EXPECT_EQ(pool.map(square, std::set{3, 1, 2}), squares);
  EXPECT_EQ(pool.map(square, std::array{1, 2, 3}), squares);
  EXPECT_EQ(pool.map(square, std::span(fixed)), squares);
  int plain[] = {1, 2, 3};
  EXPECT_EQ(pool.map(square, plain), squares);
  auto list = {1, 2, 3};
  EXPECT_EQ(pool.map(square, list), squares);
  EXPECT_EQ(pool.map(square, std::views::iota(1, 4)), squares);
  EXPECT_EQ(pool.map(square, std::views::iota(1) | std::views::take(3)), squares);
  auto odd = [](int x) { return x != 4; };
  auto filtered = std::views::iota(1, 5) | std::views::filter(odd);
  EXPECT_EQ(pool.map(square, filtered), squares);
  EXPECT_EQ(pool.map(square, std::views::iota(1, 5) | std::views::filter(odd)), squares);
  EXPECT_EQ(pool.map(square, Generator(4)), squares);
  Generator generator(4);
  EXPECT_EQ(pool.map(square, generator), squares);
  std::istringstream in("1 2 3");
  auto stream = std::views::istream<int>(in);
  EXPECT_EQ(pool.map(square, stream), squares);
  EXPECT_EQ(pool.map(square, std::views::single(3)), Ints{9});
  EXPECT_EQ(pool.map(square, std::vector<short>{1, 2, 3}), squares);
  EXPECT_EQ(pool.map([](bool b) { return b ? 1 : 0; }, std::vector<bool>{true, false}),
            (Ints{1, 0}));
  EXPECT_EQ(pool.map([](int x) { return x > 1; }, fixed), (std::vector<bool>{false, true, true}));
}

TEST_P(Ranges, of_texts_travel_as_strings) {
  Pool pool = make_pool();
  const Texts wanted{"a!", "bb!"};
  EXPECT_EQ(pool.map(up, Texts{"a", "bb"}), wanted);
  EXPECT_EQ(pool.map(up, std::vector{"a", "bb"}), wanted);
  EXPECT_EQ(pool.map(up, std::vector<std::string_view>{"a", "bb"}), wanted);
  const char* const names[] = {"a", "bb"};
  EXPECT_EQ(pool.map(up, names), wanted);
  EXPECT_EQ(pool.map(&std::string::size, Texts{"a", "bb"}), (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(pool.map([](std::string_view s) { return s.size(); }, Texts{"a", "bb"}),
            (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(pool.map([](const auto& s) { return s.size(); }, Texts{"a", "bb"}),
            (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(pool.map(&Record::number, std::vector<Record>{{1, 0, ""}, {2, 0, ""}}), (Ints{1, 2}));
}

TEST_P(Ranges, of_moves_only_and_of_moved_results_go_through) {
  Pool pool = make_pool();
  const auto make = [] {
    std::vector<std::unique_ptr<int>> boxes;
    for (int i = 1; i < 4; ++i) boxes.push_back(std::make_unique<int>(i));
    return boxes;
  };
  const auto open = [](std::unique_ptr<int> box) { return *box; };
  EXPECT_EQ(pool.map(open, make()), (Ints{1, 2, 3}));
  const auto kept = make();
  EXPECT_EQ(pool.map(open, kept), (Ints{1, 2, 3}));
  EXPECT_EQ(*kept[2], 3);
  const auto box = [](int x) { return std::make_unique<int>(x); };
  EXPECT_EQ(*pool.map(box, {1, 2, 3}).at(2), 3);
  int sum = 0;
  for (auto& each : pool.imap(box, {1, 2, 3})) sum += *each;
  for (std::unique_ptr<int>& each : pool.imap_unordered(box, {1, 2, 3})) sum += *each;
  for (const int each : pool.imap(open, make())) sum += each;
  EXPECT_EQ(sum, 18);
  EXPECT_EQ(*pool.map_async(box, {1, 2}).get().at(1), 2);
}

TEST_P(Ranges, of_every_kind_go_through_imap) {
  Pool pool = make_pool();
  const auto sum_of = [](auto&& lazy) {
    int sum = 0;
    for (const int each : lazy) sum += each;
    return sum;
  };
  Ints fixed{1, 2, 3};
  EXPECT_EQ(sum_of(pool.imap(square, fixed)), 14);
  EXPECT_EQ(sum_of(pool.imap(square, std::as_const(fixed))), 14);
  EXPECT_EQ(sum_of(pool.imap(square, Ints{1, 2, 3})), 14);
  EXPECT_EQ(sum_of(pool.imap(square, std::list{1, 2, 3}, 2)), 14);
  EXPECT_EQ(sum_of(pool.imap(square, {1, 2, 3})), 14);
  EXPECT_EQ(sum_of(pool.imap({.chunksize = 2}, square, {1, 2, 3})), 14);
  EXPECT_EQ(sum_of(pool.imap({.chunksize = 2, .timeout = 30s, .retries = 1}, square, fixed)), 14);
  EXPECT_EQ(sum_of(pool.imap(square, Generator(4))), 14);
  Generator generator(4);
  EXPECT_EQ(sum_of(pool.imap(square, generator)), 14);
  int plain[] = {1, 2, 3};
  EXPECT_EQ(sum_of(pool.imap(square, plain)), 14);
  std::istringstream in("1 2 3");
  EXPECT_EQ(sum_of(pool.imap(square, std::views::istream<int>(in))), 14);
  EXPECT_EQ(sum_of(pool.imap_unordered(square, fixed)), 14);
  EXPECT_EQ(sum_of(pool.imap_unordered(square, std::set{1, 2, 3}, 2u)), 14);
  EXPECT_EQ(sum_of(pool.imap_unordered({.timeout = 30s}, square, {1, 2, 3})), 14);
  EXPECT_EQ(sum_of(pool.imap_unordered([](auto x) { return x * x; }, {1, 2, 3})), 14);
  EXPECT_EQ(sum_of(pool.imap(square, {})), 0);
  int seen = 0;
  for (const int r : pool.imap(square, std::views::iota(0))) {
    EXPECT_EQ(r, seen * seen);
    if (++seen == 50) break;
  }
  for (auto&& text : pool.imap(up, std::vector{"a", "b"})) EXPECT_EQ(text.size(), 2u);
  auto lazy = pool.imap(square, std::views::iota(1, 4));
  static_assert(std::ranges::input_range<decltype(lazy)>);
  Ints read;
  std::ranges::copy(lazy, std::back_inserter(read));
  EXPECT_EQ(read, (Ints{1, 4, 9}));
}

TEST_P(Ranges, of_tuples_are_unpacked_by_starmap) {
  Pool pool = make_pool();
  const Texts wanted{"x1/2", "y3/4"};
  const std::vector triples{std::tuple{1, 2.0, std::string("x")},
                            std::tuple{3, 4.0, std::string("y")}};
  EXPECT_EQ(pool.starmap(show, triples), wanted);
  EXPECT_EQ(pool.starmap(show, triples, 1), wanted);
  EXPECT_EQ(pool.starmap({.chunksize = 1, .timeout = 30s, .progress = true}, show, triples),
            wanted);
  EXPECT_EQ(pool.starmap(show, std::vector{std::tuple{1, 2.0, "x"}, std::tuple{3, 4.0, "y"}}),
            wanted);
  EXPECT_EQ(pool.starmap(show, {{1, 2.0, "x"}, {3, 4.0, "y"}}), wanted);
  EXPECT_EQ(pool.starmap(show, {{1, 2.0, "x"}}), Texts{"x1/2"});
  EXPECT_EQ(pool.starmap(show, {}), Texts{});
  EXPECT_EQ(pool.starmap({.chunksize = 1}, show, {{1, 2.0, "x"}}), Texts{"x1/2"});
  EXPECT_EQ(pool.starmap_async(show, triples).get(), wanted);
  EXPECT_EQ(pool.starmap_async(show, {{1, 2.0, "x"}}).get(), Texts{"x1/2"});
  const std::map<std::string, int> map{{"a", 1}, {"b", 2}};
  EXPECT_EQ(pool.starmap(shout, map), (Texts{"a1", "b2"}));
  EXPECT_EQ(pool.starmap(shout, std::map<std::string, int>{{"a", 1}}), Texts{"a1"});
  EXPECT_EQ(pool.starmap(shout, std::unordered_map<std::string, int>{{"a", 1}}), Texts{"a1"});
  EXPECT_EQ(pool.starmap(shout, std::list<std::pair<const char*, short>>{{"a", short{1}}}),
            Texts{"a1"});
  const auto paired = [](int i) { return std::pair(i, i + 1); };
  EXPECT_EQ(pool.starmap(std::plus<>{}, std::views::iota(1, 3) | std::views::transform(paired)),
            (Ints{3, 5}));
  int left = 1;
  double right = 2.5;
  const std::vector tied{std::tie(left, right)};
  EXPECT_EQ(pool.starmap([](int a, double b) { return a + b; }, tied), std::vector{3.5});
  EXPECT_EQ(pool.starmap([] { return 7; }, std::vector{std::tuple<>{}}), Ints{7});
  EXPECT_EQ(pool.starmap(task(show, 5), std::vector{std::pair{1.0, "z"}}), Texts{"z5/1"});
  pool.starmap([](int, int) {}, std::vector{std::pair{1, 2}});
}

TEST_P(Ranges, in_braces_have_the_type_of_the_first_parameter) {
  Pool pool = make_pool();
  EXPECT_EQ(pool.map(up, {"a", "bb"}), (Texts{"a!", "bb!"}));
  EXPECT_EQ(pool.map(up, {"a", "bb"}, 1), (Texts{"a!", "bb!"}));
  EXPECT_EQ(pool.map({.chunksize = 1}, up, {"a", "bb"}), (Texts{"a!", "bb!"}));
  EXPECT_EQ(pool.map(up, {}), Texts{});
  EXPECT_EQ(pool.map({.timeout = 1s}, up, {}), Texts{});
  EXPECT_EQ(pool.map(name_of_record, {{1, 2.0, "x"}}), Texts{"x1"});
  EXPECT_EQ(pool.map(name_of_record, {{1, 2.0, "x"}, {2, 3.0, "y"}}), (Texts{"x1", "y2"}));
  EXPECT_EQ(pool.map({.chunksize = 1}, name_of_record, {{1, 2.0, "x"}}), Texts{"x1"});
  EXPECT_EQ(pool.map([](std::pair<int, int> p) { return p.first * p.second; }, {{1, 2}, {3, 4}}),
            (Ints{2, 12}));
  EXPECT_EQ(pool.map([](const std::vector<int>& v) { return v.size(); }, {{1, 2}, {3}}),
            (std::vector<std::size_t>{2, 1}));
  EXPECT_EQ(pool.map([](double x) { return x / 2; }, {1, 2, 3}), (std::vector{0.5, 1.0, 1.5}));
  EXPECT_EQ(pool.map([](long x) { return x; }, {1, 2, 3}, 2), (std::vector{1L, 2L, 3L}));
  EXPECT_EQ(pool.map([](auto x) { return x * x; }, {1, 2, 3}), (Ints{1, 4, 9}));
  EXPECT_EQ(pool.map([](const auto& x) { return x + "!"; }, {"a", "bb"}), (Texts{"a!", "bb!"}));
  EXPECT_EQ(pool.map_async(up, {"a", "bb"}).get(), (Texts{"a!", "bb!"}));
  EXPECT_EQ(pool.map_async({.chunksize = 1}, up, {"a"}).get(), Texts{"a!"});
  EXPECT_EQ(pool.map_outcomes(up, {"a"}).at(0).value(), "a!");
  Texts read;
  for (auto& each : pool.imap(up, {"a", "bb"})) read.push_back(each);
  EXPECT_EQ(read, (Texts{"a!", "bb!"}));
}

TEST_P(Ranges, take_the_options_of_a_map_in_every_spelling) {
  Pool pool = make_pool();
  const Ints xs{1, 2, 3};
  const Ints squares{1, 4, 9};
  EXPECT_EQ(pool.map(square, xs, 64), squares);
  EXPECT_EQ(pool.map(square, xs, 64u), squares);
  EXPECT_EQ(pool.map(square, xs, std::size_t{2}), squares);
  EXPECT_EQ(pool.map({.chunksize = 64, .timeout = 30s, .progress = true}, square, xs), squares);
  EXPECT_EQ(pool.map({.chunksize = 1L, .timeout = 30.5s, .retries = 3}, square, xs), squares);
  EXPECT_EQ(pool.map({}, square, xs), squares);
  EXPECT_EQ(pool.map(MapOptions<int>{.chunksize = 2}, square, xs), squares);
  const MapOptions<int> options{.timeout = 1min, .errors = Errors::raise};
  EXPECT_EQ(pool.map(options, square, xs), squares);
  EXPECT_EQ(pool.map({.chunksize = 2}, [](auto x) { return x * x; }, xs), squares);
  pool.map({.chunksize = 2}, nothing, xs);
  static_assert(std::is_void_v<decltype(pool.map(nothing, xs))>);
  AsyncResult<void> done = pool.map_async(nothing, xs);
  done.get();
  EXPECT_TRUE(done.successful());
  pool.map_async(nothing, {1, 2}, 1).get();
  const auto outcomes = pool.map_outcomes({.errors = Errors::collect}, square, xs);
  static_assert(std::is_same_v<decltype(outcomes), const std::vector<Outcome<int>>>);
  EXPECT_EQ(*outcomes.at(2), 9);
  EXPECT_EQ(pool.map_outcomes(square, xs, 2).size(), 3u);
  EXPECT_TRUE(pool.map_outcomes(nothing, {1}).at(0).has_value());
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
