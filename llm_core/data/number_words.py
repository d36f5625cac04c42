"""Numbers, days and years as they are said in English. Pure tables and rules, no model."""

from typing import Final

UNITS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
TENS: Final = ["", "", *"twenty thirty forty fifty sixty seventy eighty ninety".split()]
ORDINALS: Final = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
).split()
MONTHS: Final = (
    "January February March April May June July August September October November December"
).split()
WEEKDAYS: Final = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def spell_number(number: int) -> str:
    """Say a whole number from 0 to 9,999: 4207 is "four thousand two hundred and seven"."""
    if not 0 <= number <= 9999:
        raise ValueError(f"Numbers from 0 to 9,999 can be spelled here, not {number}.")
    if number < 20:
        return UNITS[number]
    if number < 100:
        tens, units = divmod(number, 10)
        return TENS[tens] + (f"-{UNITS[units]}" if units else "")
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    count, rest = divmod(number, size)
    joint = " and " if rest < 100 else " "
    return f"{UNITS[count]} {name}" + (joint + spell_number(rest) if rest else "")


def spell_day(day: int) -> str:
    """Say a day of a month, from 1 to 31: 21 is "twenty-first"."""
    if not 1 <= day <= 31:
        raise ValueError(f"A month has the days 1 to 31, not {day}.")
    if day < 20:
        return ORDINALS[day - 1]
    tens, units = divmod(day, 10)
    return f"{TENS[tens]}-{ORDINALS[units - 1]}" if units else f"{TENS[tens][:-1]}ieth"


def spell_year(year: int) -> str:
    """Say a year from 1300 to 2099: 1905 is "nineteen oh five", 2005 has its thousand."""
    if not 1300 <= year < 2100:
        raise ValueError(f"Years from 1300 to 2099 can be spelled here, not {year}.")
    century, rest = divmod(year, 100)
    if 2000 <= year < 2010:
        return spell_number(year)
    if rest == 0:
        return f"{spell_number(century)} hundred"
    return f"{spell_number(century)} {'oh ' if rest < 10 else ''}{spell_number(rest)}"
