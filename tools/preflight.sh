#!/bin/sh
# Name every reason why the set-up cannot work, all at once, each with its cure. $1 = the Python to use.
python=${1:-python3.11}
problems=0

problem() {
    problems=$((problems + 1))
    echo "preflight: $1" >&2
}

case "$(uname -s)-$(uname -m)" in
Linux-x86_64) ;;
*) problem "this release runs on Linux x86-64, not on $(uname -s) $(uname -m)" ;;
esac

if ! command -v "$python" >/dev/null 2>&1; then
    problem "$python is not on the PATH: install Python 3.11, or say make PYTHON=/path/to/python3.11"
elif ! "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
    problem "$python is $("$python" -V 2>&1), but PyFlink 2.2 needs Python 3.11 here"
elif ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    problem "$python lacks venv: on Debian, apt-get install python3.11-venv"
fi

if ! command -v javac >/dev/null 2>&1; then
    problem "javac is not on the PATH: install a JDK, version 17"
elif ! javac -version 2>&1 | grep -Eq '^javac (1[7-9]|2[0-9])'; then
    problem "the JDK is $(javac -version 2>&1), but version 17 or newer is needed"
fi

command -v mvn >/dev/null 2>&1 || problem "mvn is not on the PATH: install Maven 3.8 or newer"

free_kib=$(df -Pk . | awk 'NR == 2 { print $4 }')
[ "$free_kib" -ge 3145728 ] || problem "3 GB of disk are needed here, $((free_kib / 1024)) MB are free"

[ -d /dev/shm ] && [ -w /dev/shm ] || problem "/dev/shm is not writable: mount a tmpfs there"

[ "$problems" -eq 0 ]
