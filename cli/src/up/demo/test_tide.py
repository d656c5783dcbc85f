import unittest

from tide import HIGH, level


class Tide(unittest.TestCase):
    def test_it_starts_low(self):
        self.assertEqual(level(0), 0)

    def test_it_is_high_after_half_a_period(self):
        self.assertEqual(level(6), HIGH)


if __name__ == "__main__":
    unittest.main()
