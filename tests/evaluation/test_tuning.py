"""The weights of a language model are those with the fewest errors."""

from linnet.evaluation.tuning import NUM_TRIALS, best_of, try_weights


def test_the_best_weights_are_found_between_the_coarse_ones() -> None:
    asked: list[tuple[float, float]] = []

    def read(alpha: float, beta: float) -> list[str]:
        asked.append((alpha, beta))
        wrong = round(20 * abs(alpha - 0.75) + 2 * abs(beta - 1.5))
        return ["x " * wrong + "a " * (40 - wrong)]

    trials = list(try_weights(read, ["a " * 40]))
    best = best_of(trials)
    assert (best.alpha, best.beta) == (0.75, 1.5)
    assert best.words.errors == 0
    assert len(trials) == len(asked) == len(set(asked)) == NUM_TRIALS


def test_a_model_that_does_not_help_gets_no_weight() -> None:
    trials = list(try_weights(lambda alpha, beta: ["a"], ["a"]))
    best = best_of(trials)
    assert (best.alpha, best.beta) == (0.0, 0.0)
    assert all(trial.alpha >= 0 for trial in trials)
