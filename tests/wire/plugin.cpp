// SPDX-License-Identifier: MIT
// A library that is opened at run time, in several builds.
extern "C" int scaled(int number) { return PLUGIN_FACTOR * number; }
