// SPDX-License-Identifier: MIT
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/base/error.hpp>
#include <brood/wire/code_ref.hpp>
#include <brood/wire/reader.hpp>
#include <brood/wire/writer.hpp>

namespace brood::wire {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
namespace fs = std::filesystem;

int here(int number) { return number; }

// A folder of this test's own, and libraries in it that may come and go.
class Image : public testing::Test {
 protected:
  Image() {
    std::string pattern = (fs::temp_directory_path() / "brood-image-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Image() override {
    unload();
    fs::remove_all(folder_);
  }

  // Under the name `plugin.so`; a new file each time, as a compiler makes it.
  void install(const char* build) {
    fs::copy_file(build, folder_ / "new.so");
    fs::rename(folder_ / "new.so", plugin());
  }
  fs::path plugin() const { return folder_ / "plugin.so"; }

  void* open() const {
    void* const opened = ::dlopen(plugin().c_str(), RTLD_NOW | RTLD_LOCAL);
    EXPECT_NE(opened, nullptr) << ::dlerror();
    return opened;
  }

  // What ensure_image loaded it never unloads.
  void unload() const {
    while (void* const opened = ::dlopen(plugin().c_str(), RTLD_NOW | RTLD_NOLOAD)) {
      ::dlclose(opened);
      ::dlclose(opened);
    }
  }

 private:
  fs::path folder_;
};

const void* scaled_of(void* opened) { return ::dlsym(opened, "scaled"); }

int call(const void* code, int number) {
  return reinterpret_cast<int (*)(int)>(const_cast<void*>(code))(number);
}

TEST_F(Image, places_the_programs_own_code_and_finds_it_again) {
  const CodeRef ref = locate(&here);
  EXPECT_NE(ref.image, 0u);
  EXPECT_EQ(resolve_as<int(int)>(ref), &here);
  EXPECT_EQ(ref, locate(&here));
}

TEST_F(Image, places_the_code_of_a_shared_library) {
  double (*const root)(double) = &std::sqrt;
  const CodeRef ref = locate(root);
  EXPECT_EQ(resolve_as<double(double)>(ref), root);
}

TEST_F(Image, refuses_what_is_no_code) {
  EXPECT_THAT([] { locate(nullptr); }, ThrowsMessage<ShipError>(HasSubstr("null function")));
  const auto on_heap = std::make_unique<int>(1);
  EXPECT_THAT([&] { locate(on_heap.get()); }, ThrowsMessage<ShipError>(HasSubstr("no image")));
}

TEST_F(Image, does_not_resolve_what_lies_outside_of_it) {
  CodeRef ref = locate(&here);
  ref.offset = std::uint64_t{1} << 40;
  EXPECT_THAT([&] { resolve(ref); }, ThrowsMessage<ShipError>(HasSubstr("cannot find function")));
  ref = {.image = 12345, .offset = 0};
  EXPECT_THAT([&] { resolve(ref); },
              ThrowsMessage<ShipError>(HasSubstr("load the library before brood::init")));
}

TEST_F(Image, of_the_beginning_is_known_to_all_workers) {
  double (*const root)(double) = &std::sqrt;
  mark_initial_images();
  install(PLUGIN_THREE);
  void* const opened = open();
  EXPECT_TRUE(in_initial_images(locate(&here)));
  EXPECT_TRUE(in_initial_images(locate(root)));
  EXPECT_FALSE(in_initial_images(locate(scaled_of(opened))));
  mark_initial_images();
  EXPECT_TRUE(in_initial_images(locate(scaled_of(opened))));
  ::dlclose(opened);
  mark_initial_images();
}

TEST_F(Image, is_named_by_its_file_and_its_build) {
  install(PLUGIN_THREE);
  void* const opened = open();
  const auto id = image_of(locate(scaled_of(opened)));
  ASSERT_TRUE(id);
  EXPECT_EQ(id->path, plugin());
  EXPECT_EQ(id->build_id.size(), 40u);
  EXPECT_NE(id->image, 0u);
  ::dlclose(opened);
  EXPECT_FALSE(image_of({.image = id->image, .offset = 0}));
}

TEST_F(Image, opened_by_a_relative_path_is_named_by_the_whole) {
  install(PLUGIN_THREE);
  const fs::path before = fs::current_path();
  fs::current_path(plugin().parent_path());
  void* const opened = ::dlopen("./plugin.so", RTLD_NOW | RTLD_LOCAL);
  fs::current_path(before);
  ASSERT_NE(opened, nullptr) << ::dlerror();
  const auto id = image_of(locate(scaled_of(opened)));
  ASSERT_TRUE(id);
  EXPECT_EQ(id->path, fs::canonical(plugin()));
  ::dlclose(opened);
}

// What ship_code says of a function of the build, which is then closed: this
// process is as a worker that never had it.
void ship_and_close(Buffer& out, void* opened) {
  const CodeRef ref = locate(scaled_of(opened));
  ship_code(out, scaled_of(opened));
  ASSERT_EQ(::dlclose(opened), 0);
  ASSERT_THROW(resolve(ref), ShipError) << "the library is still loaded";
}

TEST_F(Image, that_is_missing_is_loaded_from_its_file) {
  for (const char* const build : {PLUGIN_THREE, PLUGIN_WITHOUT_ID}) {
    install(build);
    Buffer out;
    ship_and_close(out, open());
    Reader in(out.view());
    const void* const code = take_code(in);
    EXPECT_TRUE(in.at_end());
    EXPECT_EQ(call(code, 5), build == std::string(PLUGIN_THREE) ? 15 : 35);
    unload();
  }
}

TEST_F(Image, that_is_here_is_not_looked_for) {
  install(PLUGIN_THREE);
  void* const opened = open();
  Buffer out;
  ship_code(out, scaled_of(opened));
  fs::remove(plugin());
  Reader in(out.view());
  EXPECT_EQ(take_code(in), scaled_of(opened));
  ::dlclose(opened);
}

TEST_F(Image, whose_file_is_gone_is_an_error_that_names_it) {
  install(PLUGIN_THREE);
  Buffer out;
  ship_and_close(out, open());
  fs::remove(plugin());
  Reader in(out.view());
  EXPECT_THAT([&] { take_code(in); },
              ThrowsMessage<ShipError>(HasSubstr("cannot load image '" + plugin().string() + "'")));
}

TEST_F(Image, whose_file_was_replaced_by_another_build_is_an_error) {
  install(PLUGIN_THREE);
  Buffer out;
  ship_and_close(out, open());
  install(PLUGIN_FOUR);
  Reader in(out.view());
  EXPECT_THAT([&] { take_code(in); }, ThrowsMessage<ShipError>(HasSubstr("it was replaced")));
}

TEST_F(Image, without_a_build_id_is_told_apart_by_its_code) {
  install(PLUGIN_WITHOUT_ID);
  Buffer out;
  ship_and_close(out, open());
  install(PLUGIN_THREE);
  Reader in(out.view());
  EXPECT_THAT([&] { take_code(in); }, ThrowsMessage<ShipError>(HasSubstr("no build-id")));
}

TEST_F(Image, of_the_program_ships_as_two_words) {
  Buffer out;
  ship_code(out, reinterpret_cast<const void*>(&here));
  EXPECT_EQ(out.size(), sizeof(CodeRef));
}

TEST_F(Image, cut_short_is_an_error) {
  install(PLUGIN_THREE);
  void* const opened = open();
  Buffer out;
  ship_code(out, scaled_of(opened));
  for (std::size_t size = 0; size < out.size(); ++size) {
    Reader in(out.view().first(size));
    EXPECT_THROW(take_code(in), ShipError) << size;
  }
  ::dlclose(opened);
}

}  // namespace
}  // namespace brood::wire
