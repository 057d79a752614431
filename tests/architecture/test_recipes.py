"""Every shipped recipe is a configuration that loads, a page that says how it was run, and no code."""

from pathlib import Path

import pytest

from linnet.core.config import load_config
from linnet.training.config import TrainConfig

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*/*/"))
CONFIGS = sorted(path for recipe in RECIPES for path in recipe.glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.parent.name}-{path.parent.name}")
def test_every_recipe_config_is_valid(path: Path) -> None:
    assert load_config(TrainConfig, path).data.train


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_recipe_says_how_it_was_run(recipe: Path) -> None:
    page = (recipe / "README.md").read_text(encoding="utf-8").lower()
    assert {word for word in ("linnet train", "hardware", "hours", "wer") if word not in page} == set()


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_recipes_hold_no_code(recipe: Path) -> None:
    assert {path.suffix for path in recipe.rglob("*") if path.is_file()} <= {
        ".yaml",
        ".md",
        ".txt",
        ".json",
        ".png",
    }
