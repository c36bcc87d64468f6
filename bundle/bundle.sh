# Sourced by ./headscope. Creates a bundle: one archive that needs nothing on the target machine but a GPU's driver.

bundle_usage() {
  cat <<END
Usage: ./headscope bundle [--out FILE]
Makes one archive that runs offline on 64-bit x86 Linux with glibc, without Java or the CUDA toolkit. It contains
Headscope, its libraries, a Java runtime, the demo's model and texts, and the CUDA kernels if ./headscope kernels has
compiled them.
      --out FILE   The archive (default: target/headscope-linux-x86_64.tar.xz).

Examples:
  ./headscope kernels && ./headscope bundle
  ./headscope bundle --out headscope.tar.xz
  tar -xf headscope.tar.xz && headscope/headscope selftest        on the other machine
END
}

# The same commit, kernels and JDK always give the same archive.
bundle() {
  local out=$home/target/headscope-linux-x86_64.tar.xz
  case "${1:-}" in
    "") ;;
    --help | -h) bundle_usage; return ;;
    --out=?*) out=${1#*=} ;;
    --out) [ -n "${2:-}" ] || fail "--out needs a file name"; out=$2; shift ;;
    *) fail "unknown argument $1; bundle takes only --out FILE" ;;
  esac
  [ $# -le 1 ] || fail "unknown argument $2; bundle takes only --out FILE"
  [ ! -d "$out" ] || fail "$out: is a folder; --out must name a file"
  mkdir -p "$home/target"
  partial=$out.partial-$$
  staged=$(mktemp -d "$home/target/bundle.XXXXXX")
  trap 'rm -rf "$staged" "$partial"' EXIT
  : 2>/dev/null >"$partial" || fail "$out: not writable"
  need_jdk
  command -v xz >/dev/null || install xz-utils
  build
  stage "$staged/headscope"
  say "packing"
  tar --directory "$staged" --sort=name --mtime="$bundle_time" --owner=0 --group=0 --numeric-owner -c headscope |
    xz --threads=2 --x86 --lzma2=preset=6,dict=16MiB >"$partial" || fail "$out: writing failed"
  mv "$partial" "$out"
  say "$out: $(du --apparent-size -BM "$out" | cut -f 1)"
}

bundle_time=2026-01-01T00:00:00Z

# JDK modules that the program and its libraries import; java.desktop writes PNG.
bundle_modules=java.base,java.desktop,java.logging,java.management,jdk.incubator.vector,jdk.unsupported

# stage FOLDER: the content of a bundle, before it is packed.
stage() {
  mkdir -p "$1/target/lib" "$1/target/natives" "$1/benchmarks/results"
  "$JAVA_HOME/bin/jlink" --add-modules "$bundle_modules" --strip-java-debug-attributes --no-header-files --no-man-pages \
    --compress zip-0 --output "$1/runtime" >"$home/target/bundle.log" 2>&1 &&
    "$JAVA_HOME/bin/java" "$home/bundle/Repack.java" "$1/target/lib" "$home"/target/lib/*.jar >>"$home/target/bundle.log" 2>&1 &&
    "$JAVA_HOME/bin/java" "$home/bundle/Repack.java" "$1/target" "$jar" >>"$home/target/bundle.log" 2>&1 || {
    tail -n 3 "$home/target/bundle.log" >&2
    fail "no bundle was made; full output: target/bundle.log"
  }
  # the archive of classes stores the jars' times, which are those in the packed bundle
  find "$1/runtime/lib/modules" "$1/target" -exec touch --date="$bundle_time" {} +
  list_classes "$home/target/classes.list" </dev/null >>"$home/target/bundle.log" 2>&1 &&
    dump_classes "$1/runtime" "$1/target/headscope.jar" "$home/target/classes.list" "$1/target/headscope.jsa" \
      >>"$home/target/bundle.log" 2>&1 || fail "no archive of classes was made; full output: target/bundle.log"
  cp -r "$home/target/natives/lib" "$1/target/natives/"
  cp -r "$home/headscope" "$home/models" "$home/data" "$home/README.md" "$home/LICENSE" "$1"
  cp -r "$home/benchmarks/gpu" "$1/benchmarks/"
  cp "$home/benchmarks/results/2026-11-26-h100.json" "$1/benchmarks/results/" # measure compares an H100 with it
  git -C "$home" describe --always --dirty --exclude '*' >"$1/commit" 2>/dev/null || echo unknown >"$1/commit"
  [ -f "$fatbins" ] || say "the bundle has no CUDA kernels: to include them, run ./headscope kernels first (needs nvcc)"
}

# Opens the window of a bundle on a virtual display and closes it by a key.
bundled_window() {
  timeout 180 xvfb-run -a sh -c '
    env -i DISPLAY="$DISPLAY" XAUTHORITY="$XAUTHORITY" PATH=/usr/bin:/bin "$0" live --demo &
    while kill -0 $! 2>/dev/null; do
      xdotool search --name "Headscope live" >/dev/null 2>&1 && xdotool key q
      sleep 0.5
    done
    wait $!' "$1"
}

# Runs a bundle from another folder, in an environment without Java and without this checkout.
verify_bundle() {
  moved=$(mktemp -d)
  staged=$(mktemp -d "$home/target/bundle.XXXXXX")
  trap 'rm -rf "$staged" "$moved"' EXIT
  bundled() { (cd / && env -i PATH=/usr/bin:/bin "$moved/headscope/headscope" "$@"); }
  stage "$staged/headscope" && mv "$staged/headscope" "$moved/" &&
    bundled doctor | grep '^compute .*OpenBLAS' &&
    starts_from_archive &&
    bundled selftest --device cpu --only linear --max-tokens 3 &&
    bundled saliency --model "$moved/headscope/models/demo" --text "painted a picture of a horse" --out "$moved/run" &&
    [ -s "$moved/run/saliency.png" ] &&
    same_in_every_locale &&
    bundled_window "$moved/headscope/headscope" &&
    bundled_page
}

# The bundle's own classes come from its archive of classes, in a folder other than the one where it was made.
starts_from_archive() {
  (cd / && env -i PATH=/usr/bin:/bin JAVA_TOOL_OPTIONS=-Xlog:class+load "$moved/headscope/headscope" --version) |
    grep -F 'headscope.Main source: shared objects file' || {
    echo "the archive of classes is not used"
    return 1
  }
}

# The bundle serves the live page, and ends well when it is told to.
bundled_page() {
  local pid port='' status=0
  (cd / && exec env -i PATH=/usr/bin:/bin "$moved/headscope/headscope" live --demo --serve 0) >"$moved/page.txt" 2>&1 &
  pid=$!
  for ((i = 0; i < 300 && ${#port} == 0; i++)); do
    sleep 0.2
    port=$(sed -n 's|^Open http://[^:]*:\([0-9]*\)/.*|\1|p' "$moved/page.txt")
  done
  { exec 4<>"/dev/tcp/127.0.0.1/$port" &&
    printf 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&4 && grep -F 'page.js' <&4; } || status=1
  exec 4>&-
  kill "$pid" && wait "$pid" && return $status
  cat "$moved/page.txt"
  return 1
}

# The letters of a text and of a path survive in a locale without UTF-8: as an argument, a folder and printed text.
same_in_every_locale() {
  local locale text
  text=$(printf '%b' 'caf\303\251 \303\274ber \346\227\245\346\234\254')
  for locale in C POSIX C.UTF-8; do
    (cd / && env -i PATH=/usr/bin:/bin LC_ALL="$locale" "$moved/headscope/headscope" saliency \
      --model "$moved/headscope/models/demo" --text "$text" --out "$moved/$text/$locale") >"$moved/$locale.txt" &&
      grep -F "Data: $moved/$text/$locale (" "$moved/$locale.txt" &&
      grep -F "$text" "$moved/$text/$locale/manifest.json" || {
      echo "LC_ALL=$locale: letters of a text or a path are lost"
      return 1
    }
  done
}
