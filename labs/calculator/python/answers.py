# What Python computes, for the test that compares our answers with it [G-6c].
# Prints COUNT lines `expression<TAB>answer`, always the same ones.
#
#     python3 answers.py COUNT
import operator
import random
import struct
import sys

OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
    "/": operator.truediv, "%": operator.mod, "**": operator.pow,
}
random.seed(42)


def number():
    """A number as a student types it, or a demonstrator."""
    kind = random.randrange(8)
    if kind == 0:
        return str(random.randint(-100, 100))
    if kind == 1:
        return str(random.randint(-2**127, 2**127 - 1) >> random.randrange(127))
    if kind == 2:
        return f"{random.uniform(-1000, 1000):.{random.randrange(1, 5)}f}"
    if kind == 3:
        return f"{random.randint(-99, 99)}e{random.randint(-340, 308)}"
    if kind == 4:
        return repr(random.uniform(-1, 1) * 10.0 ** random.randint(-20, 20))
    if kind == 5:  # any float that there is
        value = struct.unpack("<d", random.randbytes(8))[0]
        return repr(value) if abs(value) < float("inf") else "0.1"
    if kind == 6:
        return f"{random.randint(0, 99)}."
    return random.choice(["0", "0.0", "1", "-1", "2", "0.5", "1e16", "-0.0"])


def value(word):
    return float(word) if set(word) & set(".eE") else int(word)


def answer(left, name, right):
    a, b = value(left), value(right)
    both = isinstance(a, int) and isinstance(b, int)
    if name == "**" and both and b > 1000:
        return None  # Python would compute millions of digits
    if float("inf") in (abs(a), abs(b)):
        return "error: float overflow"  # 68e307, for example
    if name == "**" and a < 0 and b != b // 1:
        return "error: no real number"  # Python: a complex one
    try:
        if name == "/" and both and a % b == 0:
            result = a // b  # an exact quotient of integers is an integer
        else:
            result = OPERATORS[name](a, b)
    except ZeroDivisionError:
        return "error: division by zero"
    except OverflowError:
        return "error: float overflow"
    if isinstance(result, int):
        fits = -2**127 <= result < 2**127
        return str(result) if fits else "error: integer overflow"
    if result in (float("inf"), float("-inf")):
        return "error: float overflow"
    return repr(result or 0.0).removesuffix(".0")


count = int(sys.argv[1])
while count > 0:
    left, name, right = number(), random.choice(list(OPERATORS)), number()
    said = answer(left, name, right)
    if said is not None:
        print(f"{left} {name} {right}\t{said}")
        count -= 1
