"""Readable tenant names: the same number always gives the same name."""

FIRST = [
    "Acme",
    "Harbor",
    "Juniper",
    "Meridian",
    "Willow",
    "Copper",
    "Northwind",
    "Maple",
    "Orchid",
    "Summit",
    "Lantern",
    "Cobalt",
    "Prairie",
    "Falcon",
    "Ember",
    "Quartz",
    "Cedar",
    "Beacon",
    "Velvet",
    "Compass",
    "Tidal",
    "Granite",
    "Aurora",
    "Clover",
    "Saffron",
]
SECOND = [
    "Bikes",
    "Coffee",
    "Freight",
    "Books",
    "Dental",
    "Foods",
    "Travel",
    "Energy",
    "Studios",
    "Pharmacy",
    "Robotics",
    "Textiles",
    "Garden",
    "Insurance",
    "Toys",
    "Telecom",
    "Brewery",
    "Optics",
    "Marine",
    "Ceramics",
]
PLACE = [
    "Lisbon",
    "Osaka",
    "Nairobi",
    "Oslo",
    "Lima",
    "Turin",
    "Hanoi",
    "Quito",
    "Perth",
    "Leeds",
    "Ghent",
    "Porto",
    "Bergen",
    "Kyoto",
    "Dakar",
    "Riga",
    "Malaga",
    "Bilbao",
    "Tampere",
]


def tenant_name(number: int) -> str:
    """`number` counts from 1; the first 10,000 names are all different."""
    index = number - 1
    first = FIRST[index % len(FIRST)]
    # The second word moves on by one in each round, so that neighbours differ in both words.
    turn, rest = divmod(index, len(FIRST))
    second = SECOND[(rest + turn) % len(SECOND)]
    place = turn // len(SECOND)
    if place == 0:
        return f"{first} {second}"
    if place <= len(PLACE):
        return f"{first} {second} {PLACE[place - 1]}"
    return f"{first} {second} {number}"
