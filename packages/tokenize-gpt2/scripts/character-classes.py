"""Writes src/character-classes.generated.ts from what the Rust tokenizers library really does with each code point.

The classes of GPT-2's regex (\\p{L}, \\p{N}, \\s) are those of the Unicode version built into that library; a browser or a
Node release has its own. Run it again, with the tokenizers that transformers then uses, to move to a newer version:

    python scripts/character-classes.py > src/character-classes.generated.ts
"""

import tokenizers
from tokenizers import pre_tokenizers

splitter = pre_tokenizers.ByteLevel(add_prefix_space=False)


def pieces(text):
    return [text[start:end] for _, (start, end) in splitter.pre_tokenize_str(text)]


def ranges(belongs):
    """Gaps and lengths of the runs of code points for which belongs holds, in base 36, alternating."""
    found, start, last = [], None, 0
    for code in range(0x110001):
        inside = code < 0x110000 and not 0xD800 <= code < 0xE000 and belongs(chr(code))
        if inside and start is None:
            start = code
        elif not inside and start is not None:
            found += [start - last, code - start]
            last, start = code, None
    return ' '.join(base36(number) for number in found)


def base36(number):
    digits = ''
    while True:
        number, digit = divmod(number, 36)
        digits = '0123456789abcdefghijklmnopqrstuvwxyz'[digit] + digits
        if number == 0:
            return digits


# A letter joins a letter before it, a number joins a number; white space alone leaves the space after it free.
letters = ranges(lambda c: len(pieces('a' + c)) == 1)
numbers = ranges(lambda c: len(pieces('1' + c)) == 1)
spaces = ranges(lambda c: len(pieces('  ' + c + c)) == 1)

print(f'// Written by scripts/character-classes.py from tokenizers {tokenizers.__version__}. Do not edit.')
print("// Runs of code points as GAP LENGTH pairs in base 36; a gap counts from the previous run's end.")
print(f"export const letterRuns =\n  '{letters}';")
print(f"export const numberRuns =\n  '{numbers}';")
print(f"export const whiteSpaceRuns = '{spaces}';")
