// SPDX-License-Identifier: MIT
#include "pool/plugin.hpp"

#include <dlfcn.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "pool/contexts.hpp"

// A library that is opened after brood::init, and after the workers' birth.
namespace brood::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
namespace fs = std::filesystem;

class PluginTest : public AllContexts {
 protected:
  PluginTest() {
    std::string pattern = (fs::temp_directory_path() / "brood-plugin-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    fs::copy_file(PLUGIN, file());
  }
  ~PluginTest() override {
    if (opened_) ::dlclose(opened_);
    fs::remove_all(folder_);
  }

  fs::path file() const { return folder_ / "plugin.so"; }

  const Plugin& open() {
    opened_ = ::dlopen(file().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!opened_) throw std::runtime_error(::dlerror());
    return *static_cast<const Plugin*>(::dlsym(opened_, "plugin"));
  }

 private:
  fs::path folder_;
  void* opened_ = nullptr;
};

class APlugin : public PluginTest {};
INSTANTIATE_TEST_SUITE_P(contexts, APlugin, every_context, name_of);
class AMissingPlugin : public PluginTest {};
INSTANTIATE_TEST_SUITE_P(contexts, AMissingPlugin, every_process, name_of);

TEST_P(APlugin, has_functions_that_workers_call) {
  Pool pool = make_pool();
  const Plugin& plugin = open();
  EXPECT_EQ(pool.apply(plugin.twice, 4), 8);
  EXPECT_EQ(pool.apply(task(plugin.twice, 5)), 10);
  EXPECT_THAT(pool.map(plugin.twice, {1, 2, 3}), ElementsAre(2, 4, 6));
}

TEST_P(APlugin, sends_lambdas_of_its_own) {
  Pool pool = make_pool();
  const Plugin& plugin = open();
  EXPECT_EQ(plugin.seven(pool), 7);
  EXPECT_THAT(plugin.cubes(pool, {1, 2, 3}), ElementsAre(1, 8, 27));
}

TEST_P(APlugin, has_the_initializer_of_a_pool) {
  const Plugin& plugin = open();
  EXPECT_EQ(plugin.sum_in_prepared_pool(options()), 5);
}

TEST_P(APlugin, is_opened_by_the_workers_of_an_older_pool_too) {
  Pool older = make_pool(1);
  EXPECT_EQ(older.apply([] { return 1; }), 1);
  const Plugin& plugin = open();
  older.apply(plugin.prepare, 3);
  EXPECT_EQ(older.apply(plugin.prepared), 3);
}

TEST_P(AMissingPlugin, costs_the_tasks_that_need_it_and_nothing_else) {
  Pool pool = make_pool(2);
  const Plugin& plugin = open();
  fs::remove(file());
  EXPECT_THAT([&] { pool.apply(plugin.twice, 4); },
              ThrowsMessage<ShipError>(HasSubstr("cannot load image '" + file().string())));
  EXPECT_THAT([&] { plugin.seven(pool); },
              ThrowsMessage<ShipError>(HasSubstr("cannot load image")));
  EXPECT_THROW(plugin.cubes(pool, {1, 2, 3}), ShipError);
  const auto outcomes = pool.map_outcomes(plugin.twice, {1, 2, 3});
  ASSERT_EQ(outcomes.size(), 3u);
  for (const auto& outcome : outcomes) EXPECT_THROW(outcome.value(), ShipError);
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
  EXPECT_EQ(pool.stats().crashed, 0u);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
