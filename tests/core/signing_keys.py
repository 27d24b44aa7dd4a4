"""Keys for tests: two RSA keys that are always the same, for they take long to make, and fresh ones of other kinds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from oauthcore.jose import crypto
from oauthcore.jose.jwk import Jwk

# A key for tests: it protects nothing.
RSA_2048: Mapping[str, object] = {
    "kty": "RSA",
    "n": (
        "46cQkaPPHXaUOsknFkQrmHq-HOCFVg_K06GLUFVJTHwWIYBzQCXlLqqhK_JqE6J8vxd2Ax1RC0G9l0clHqLve-"
        "ICJ7CybA7Ml7e36akBuOYriFAJYYHO_XG8IA1rcTpulOvPYRtJmI-"
        "lbRhcndEHJEQmk060rMLwh40Aumvu2GHoZs6_olfNK8F7VvTc4L95UN7T6lBkuTQWK4hIiN2CoPRwdcTa-vzGtOHFf5pWgfaaEKT"
        "NZxf_Y7m0v1-hHwrkrf3i83WWMWmwEp_06Y8M-WN84D0PA9gQ7lwusKWEGvpgC2N_u9McQ27jrv4nCjmOp8y088wHP4r_bEB-"
        "MAtH_Q"
    ),
    "e": "AQAB",
    "d": (
        "BWi_NtavlMGjVmo-wlBIWoBZuBHvP4Y_vLUsvD63VfJOcrYjBuksZhl3Ahy2cu6V2QYgfB51zupDxcgFx8T5vI9raBbSU0leu-"
        "28ZV7qQ_YKhSik4546Yg2rxkJk-FtgRhJit3bDuIF63fnwNjr02OKNqbGUqKFqwBQuA9mNfH97kfWWTqBhxO9ZunSSJDxi0I-"
        "iwB7PdkzZe96utkqEe4EG6sNShWoLeF10wFip1q1vylrhnZ6NmK5pRfK8pIVCY_2s6OZoISaWuv_edZVRrvTIrwgMKoOM0wTqCOo"
        "ZV5L-EHQIiHJ0I9oLGx4r9Rkpc2t-MOkeFlMZBIDDlXh6gQ"
    ),
    "p": (
        "_ddZWm0iyr6vqiES6jTrUn4p3oHFv78DpWxwajTyhDbWa0C4SHHNlym9T2FfwcGZOBtSs5cLPoaFNrG73RGffrl0yDMoSR5OELeO"
        "F_kpMkDEIKsMl1lkNVaHzOu8_Q1S5jPXuYbBNlf0hqFb0vhCIZojKuB1ChMMhZkAZKuc1HE"
    ),
    "q": (
        "5Zay97_pQXhDBwiGgq6zfnSpwuE3Q8zUep-iEGhdOL1AaKtgRRUGy7g7faWoPJxyrWsM7VfQg_ctugg-"
        "7QLIXQD0Ax1lyp2cIpzcnxWFvI7rkYDB_h3XMm7WxfLJP_StMM8c37VmoXrvICqv1FrGaTWewMlXz7HKRc9GZfTegk0"
    ),
    "dp": (
        "Dczma7chPBqP3FT9_UOxQ4PebN1rTdhpr1Ws6ulEAhIlKCGVo0KkpcI8K5OkrBkFZnp9zYu5rcWMeoPBLeymWjJk-"
        "flmCEugfOIt1HnUVooU353NCnFutEOnEGoElVFjH2bUJJ8B5B12Cte88URT_BWwMcWQN2L_vEesMMzvstE"
    ),
    "dq": (
        "qaKSc5n51-Tq6Xx0HoTEnO_IKvTLJ65lZIEkdqkWEAFNYMkXZZOmpMloM2s-"
        "BiK2XMoXEBrtN0RgJe9Hx0liD83Pfamv92hC4BQ0stptKSgUiDqxm3gi8-"
        "GPkUzVRAseGE0_kU9wGGpD2umPZwD3Tu9OcDWUSyKbSL9gzZ6C9ZU"
    ),
    "qi": (
        "DFUm9bVxyQKF7vkviilcUKmkHDCKdoKvy8xMLGRhjO6iHqf10eNgHhH9LoI82r_aVSbnMoVBFVui9_2bl_hOI4Ej4KFEXY7V3F4-"
        "WVNmyS7I-gpLbheNHzPmRbpF4ZA02QpLqjBYXQJre58Y8WTpQJagt2vZfHkdwEpIwH_t744"
    ),
}
# Another one, for what came before or after: the first is superseded by it, or the other way round.
OTHER_RSA_2048: Mapping[str, object] = {
    "kty": "RSA",
    "n": (
        "qMfue4Osm0XjnkHZ97qJo25KyD_pxjPqYUh1MZCU4bpedlNrKfkqboLUT02bydcDVlYXwTa_KHj0ECgYb3iVl3FNbxVGhoIqXLOl"
        "RKmTB2dgRSxWSXC539L3rneb-67DiHIhBZVxIBzr6WWpbnSJhSCrXdmabza3xnDxxa38ZMqjZm16Gy5Txr9x3VDWqR1YLYoDAiES"
        "gpfdxkv00SI5R0rqYKKzzuvGaH-uDnc9V3NX7exURKh71LpU0AlmS2MOrzW3CYt525zwvMsVOhBaJ0c54Lb9_vw1R8KksLRzDaFV"
        "mI7xEeuFYFrcaBv3SfcGlLr1jdVIEgPhQym022zdYw"
    ),
    "e": "AQAB",
    "d": (
        "BSZcjiOSult5OinzjE3Xx0clPFOe6W-fa3_Pe5ytaO8hKhEaMvn--Rzq0iShvUM0lId59Wjwj5E-joOlWI61rxzuP5ZxmXG9TdN5"
        "a80_cY647u4PD_HtlKPA75oyBeLrj8KTuVzkSmuM0zPz5dfjyPkZ4XozQ8jH9g5vghhF8Y6kkJJIf2ncFZJ_kKRvgW3Ti7_ljtyE"
        "Zqws5dE7NV2lE5ni6gbq87CFMj5y2OxhCVIC4ZK-cRvXow_mVRomcWrhlRst1B6fRRyH08RgXGtDrwGI8fbGHUTLeX6bmFVVrkEC"
        "WPsMuqOBJY-hwS_mgUK3b6OH6TEdIbjgpwymjp4oYQ"
    ),
}


@cache
def key_for(alg: str, number: int = 0) -> Jwk:
    """Return a private key for an algorithm; the same number gets the same key, and RSA has only two."""
    if alg in {"RS256", "PS256"}:
        return Jwk.of(OTHER_RSA_2048 if number else RSA_2048).named(alg)
    return crypto.generate(alg)


def generate(alg: str) -> Jwk:
    """Be a world's `generate` that costs nothing for RSA."""
    return key_for(alg) if alg in {"RS256", "PS256"} else crypto.generate(alg)
