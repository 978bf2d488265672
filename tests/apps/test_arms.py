from apps.conftest import onedial, read


def by_id(found):
    return {one["arm"]: one for one in found["arms"]}


def test_every_arm_is_listed_with_its_price(tmp_path):
    arms = by_id(read("arms", data=tmp_path))
    tiny = [name for name in arms if name.startswith("tiny/")]
    assert len(tiny) == 4 * (1 + 3 + 3) and all(arms[name]["available"] for name in tiny)
    assert arms["tiny/think=2/vote=8"]["price"]["output_usd_per_mtok"] > 0
    assert "logprobs" in arms["tiny/think=0"]["capabilities"]


def test_what_the_fit_has_not_seen_is_absent_with_the_reason(fitted):
    arms = by_id(read("arms", data=fitted))
    assert arms["tiny/think=0/vote=2"]["available"]
    assert "saw 2 samples of it on every query" in arms["tiny/think=0/vote=8"]["absent"]
    assert "saw 2 samples of it on every query" in onedial("arms", data=fitted).stderr


def test_the_wait_for_an_arm_is_known_from_what_was_collected(fitted, tmp_path):
    arms = by_id(read("arms", data=fitted))
    one, two = (arms[name]["latency_s"] for name in ("tiny/think=0", "tiny/think=0/vote=2"))
    assert 0 < one["p50"] < one["p95"] and two["p50"] > one["p50"]  # of two samples, the slower one
    assert by_id(read("arms", data=tmp_path))["tiny/think=0"]["latency_s"] is None


def test_the_tokens_of_every_level_are_learned_from_what_was_collected_and_shown(fitted, tmp_path):
    arms = by_id(read("arms", data=fitted))
    levels = [arms[f"tiny/think={level}"]["tokens"] for level in range(4)]
    known = [used for used in levels if used and used["queries"]]
    assert known and all(0 < used["half"] <= used["most"] and used["mean"] <= used["most"] for used in known)
    assert levels[0]["mean"] < levels[3]["mean"], "more thinking takes more tokens"
    assert f"{levels[0]['mean']:,.0f}" in onedial("arms", data=fitted).stdout
    assert by_id(read("arms", data=tmp_path))["tiny/think=0"]["tokens"] is None


def test_a_model_without_its_key_or_a_verifier_is_absent_in_part(config, monkeypatch):
    path = config(model='api_key_env = "UP_KEY"')
    assert "UP_KEY" in by_id(read("--config", path, "arms"))["up"]["absent"]
    monkeypatch.setenv("UP_KEY", "k")
    arms = by_id(read("--config", path, "arms"))
    assert arms["up"]["available"] and arms["up/vote=2"]["available"]
    assert "no verifier" in arms["up/best=2"]["absent"]
