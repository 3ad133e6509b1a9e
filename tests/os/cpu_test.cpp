// SPDX-License-Identifier: MIT
#include "os/cpu.hpp"

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "os/kernel_file.hpp"
#include "support/scratch.hpp"

namespace brood::os {
namespace {

// A machine's control groups, as files.
class Groups : public ::testing::Test {
 public:
  void write(const std::string& file, const std::string& text) const {
    const std::filesystem::path path = root_.path(file);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  double quota(const std::string& own_groups) const {
    write("own", own_groups);
    return cgroup_cpu_quota(root_.path("own"), root_.path(""));
  }

 private:
  brood::testing::Scratch root_;
};

constexpr double none = std::numeric_limits<double>::infinity();

TEST_F(Groups, without_files_there_is_no_quota) {
  EXPECT_EQ(quota(""), none);
  EXPECT_EQ(quota("0::/a/b\n"), none);
  EXPECT_EQ(cgroup_cpu_quota("/nowhere/own", "/nowhere"), none);
}

TEST_F(Groups, of_version_2_the_tightest_above_counts) {
  write("a/cpu.max", "150000 100000\n");
  write("a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(quota("0::/a/b\n"), 1.5);
  write("a/b/cpu.max", "50000 100000\n");
  EXPECT_EQ(quota("0::/a/b\n"), 0.5);
  write("cpu.max", "20000 100000\n");
  EXPECT_EQ(quota("0::/a/b\n"), 0.2);
  EXPECT_EQ(quota("0::/\n"), 0.2);
}

TEST_F(Groups, of_version_1_by_either_name_of_its_folder) {
  write("cpu/a/cpu.cfs_quota_us", "300000\n");
  write("cpu/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota("3:cpu:/a/b\n"), 3);
  EXPECT_EQ(quota("3:cpuset:/a/b\n"), none);
  write("cpu,cpuacct/a/b/cpu.cfs_quota_us", "100000\n");
  write("cpu,cpuacct/a/b/cpu.cfs_period_us", "50000\n");
  EXPECT_EQ(quota("9:pids:/\n3:cpu,cpuacct:/a/b\n0::/\n"), 2);
}

TEST_F(Groups, of_version_1_minus_one_is_no_quota) {
  write("cpu/cpu.cfs_quota_us", "-1\n");
  write("cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota("3:cpu:/\n"), none);
}

TEST_F(Groups, what_makes_no_sense_is_no_quota) {
  write("a/cpu.max", "");
  EXPECT_EQ(quota("0::/a\n"), none);
  write("a/cpu.max", "100000");
  EXPECT_EQ(quota("0::/a\n"), none);
  write("a/cpu.max", "100000 0\n");
  EXPECT_EQ(quota("0::/a\nnot a group\n:\n"), none);
}

TEST(KernelText, is_whole_however_long) {
  const brood::testing::Scratch folder;
  for (const std::size_t size : {0U, 1U, 4096U, 10'000U}) {
    const std::string path = folder.path(std::to_string(size));
    const std::string text(size, 'x');
    std::ofstream(path) << text;
    EXPECT_EQ(kernel_text(path.c_str()), text);
  }
  EXPECT_EQ(kernel_text(folder.path("none").c_str()), "");
}

TEST(NumberAfter, its_key_is_a_whole_word) {
  const std::string text = "oom_kill_more 7\noom 1\noom_kill 3\nlast 18446744073709551615";
  EXPECT_EQ(number_after(text, "oom_kill"), 3U);
  EXPECT_EQ(number_after(text, "oom"), 1U);
  EXPECT_EQ(number_after(text, "last"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(number_after(text, "oo"), std::nullopt);
  EXPECT_EQ(number_after("oom_kill\noom_kill x", "oom_kill"), std::nullopt);
}

}  // namespace
}  // namespace brood::os
