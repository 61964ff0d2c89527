"""Both ends of every wire between tiers: shapes, errors, calling, answering. Knows no tier and imports none."""
