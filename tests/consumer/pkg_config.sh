#!/bin/sh
# SPDX-License-Identifier: MIT
# pkg_config.sh PREFIX LIBDIR PROGRAM SOURCE COMPILER [FLAG...]: builds and runs
# SOURCE with what an installed brood.pc says, and nothing else.
set -eu
prefix=$1 libdir=$2 program=$3 source=$4
shift 4

export PKG_CONFIG_PATH="$prefix/$libdir/pkgconfig"
flags=$(pkg-config --cflags --libs brood)
# The flags are meant to fall apart into words.
# shellcheck disable=SC2086
"$@" -std=c++20 "$source" -o "$program" $flags
LD_LIBRARY_PATH="$prefix/$libdir" "$program"
