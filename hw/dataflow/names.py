"""Names of generated C++ and files: identifiers, bounded in length, unique where case does not count."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

MAX_LENGTH = 60  # of a name in identifiers and file names, which add a few letters
HASH_LENGTH = 8

# C++ keywords; names the generated code uses itself, as functions, variables and files; of C its types, its macros and
# what the source rules forbid (docs/lint.md).
_WORDS = """
alignas alignof and asm auto bitand bitor bool break case catch char class compl const constexpr const_cast continue
decltype default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline
int long mutable namespace new noexcept not nullptr operator or private protected public register reinterpret_cast
return short signed sizeof static static_assert static_cast struct switch template this thread_local throw true try
typedef typeid typename union unsigned using virtual void volatile wchar_t while xor
and_eq not_eq or_eq xor_eq
std hls nnet crq main input result ap_int ap_uint input_t result_t network_input
in out image images codes integers expected found inputs expectations log trace run threads read_line crq_run crq_sim
input_word result_word from_axi to_axi defines parameters ap_axiu ap_private half
size_t ssize_t ptrdiff_t time_t clock_t clockid_t timer_t id_t key_t pid_t uid_t gid_t mode_t dev_t ino_t off_t loff_t
quad_t register_t div_t ldiv_t lldiv_t fpos_t fenv_t fexcept_t femode_t float_t double_t max_align_t nullptr_t locale_t
wint_t wctype_t wctrans_t mbstate_t error_t sigset_t fsid_t daddr_t caddr_t blksize_t blkcnt_t nlink_t useconds_t
suseconds_t u_quad_t int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t intptr_t uintptr_t intmax_t
uintmax_t char16_t char32_t comparison_fn_t cpu_set_t pthread_t
NULL EOF NAN SNAN INFINITY HUGE_VAL BUFSIZ BIAS INLINE assert errno stdin stdout stderr offsetof alloca signgam
daylight timezone environ malloc calloc realloc free printf fprintf sprintf snprintf vprintf scanf fscanf sscanf puts
putchar getchar fopen fputs fgets fread fwrite
"""
RESERVED = frozenset(_WORDS.split())

_SUFFIXES = (
    "",
    "_config",
    "_t",
    "_out",
    "_weights",
    "_starts",
    "_thresholds",
    "_bases",
    "_slopes",
    "_values",
    "_negative",
)
"""What the firmware appends to the name of a process: configuration, type and stream of its result, its tables."""


def identifier(name: str, prefix: str = "layer") -> str:
    """`name` as a C++ identifier that is no word of the language, of its headers or of the generated code."""
    result = bounded(re.sub(r"\W", "_", name, flags=re.ASCII))
    if result in RESERVED or f"{result}_t" in RESERVED or not re.match(r"[A-Za-z]", result):
        result = f"{prefix}_{result}"
    return result


def bounded(name: str) -> str:
    """`name` in at most `MAX_LENGTH` letters: the end of a longer one becomes a hash of all of it."""
    if len(name) <= MAX_LENGTH:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:HASH_LENGTH]
    return f"{name[: MAX_LENGTH - HASH_LENGTH - 1]}_{digest}"


class Names:
    """Gives each process a name of its own, with which the names made of it (`_SUFFIXES`) are its own too."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = {name.lower() for name in taken}

    def unique(self, name: str) -> str:
        """An identifier near `name`; names that differ in case only count as equal, as for file systems and guards."""
        base, n = identifier(name), 1
        result = base
        while self.taken & (made := {f"{result}{suffix}".lower() for suffix in _SUFFIXES}):
            n += 1
            result = f"{base}_{n}"
        self.taken |= made
        return result
