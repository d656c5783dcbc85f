"""How high the water stands, in metres above low tide."""

import sys

HIGH = 3.2
# From one high tide to the next, in hours. It should be 12.42.
PERIOD = 12


def level(hour):
    """The level `hour` hours after a low tide: up for half a period, then down again."""
    passed = hour % PERIOD
    half = PERIOD / 2
    share = passed / half if passed <= half else (PERIOD - passed) / half
    return round(HIGH * share, 2)


if __name__ == "__main__":
    print(level(float(sys.argv[1])))
