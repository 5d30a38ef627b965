//! Generated pipelines for benches and tests: layered, valid, about 560 bytes a stage, the same text on every run.

use std::fmt::Write as _;

/// How many stages one layer has; each reads two of the layer before.
const WIDTH: usize = 50;

/// Writes a pipeline of `stages` stages, a gate on every tenth and a loop in every twentieth.
#[must_use]
pub(crate) fn pipeline(stages: usize) -> String {
    let mut text = String::with_capacity(stages * 570 + 400);
    text.push_str(
        "## Generated for measurements.\npipeline generated\nedition 2026\n\n\
         param rate: float in >0.0..1.0  = 0.01\nparam rows: int in 1..1_000_000 = 5_000\n\
         param mode: \"fast\" | \"full\"     = \"fast\"\n\n\
         source raw: Dataset<csv> = \"data/raw.csv\"\n",
    );
    for index in 0..stages {
        stage(&mut text, index).expect("a string takes all that is written");
    }
    text
}

fn stage(text: &mut String, index: usize) -> std::fmt::Result {
    let looped = index % 20 == 19;
    let layer = index / WIDTH;
    let header = if looped { " for seed in 1..3" } else { "" };
    let folder = if looped { format!("out/s{index}/{{seed}}") } else { format!("out/s{index}") };
    writeln!(text, "\n## Step {index} of layer {layer}: joins two tables and writes one.\nstage s{index}{header} {{")?;
    if index < WIDTH {
        writeln!(text, "  in   left = raw, right = raw")?;
    } else {
        let before = (layer - 1) * WIDTH;
        let (left, right) = (before + even(index * 7 % WIDTH), before + even(index * 13 % WIDTH));
        writeln!(text, "  in   left = s{left}.table, right = s{right}.table")?;
    }
    writeln!(text, "  # The joiner is shared by all steps of a layer.")?;
    writeln!(text, "  code \"src/step_{}.py\", \"src/common/**\"", index % 7)?;
    writeln!(text, "  use  rate, rows, mode")?;
    writeln!(text, "  out  table: Dataset<csv> = \"{folder}/table.csv\"")?;
    writeln!(text, "  out  note:  Report always = \"{folder}/note.txt\"")?;
    writeln!(text, "  needs {{ cpu: 1, memory: 2GiB }}\n  timeout 90m\n  retry 2 on infrastructure")?;
    if index.is_multiple_of(2) {
        writeln!(text, "  run <<<\n    python \"src/step_{}.py\" --left \"$left\" --right \"$right\" \\", index % 7)?;
        writeln!(
            text,
            "      --rate \"$rate\" --rows \"$rows\" --mode \"$mode\" --table \"$table\" --note \"$note\"\n  >>>"
        )?;
    } else {
        writeln!(
            text,
            "  run [\"python\", \"src/step_{}.py\", left, right, \"--rate\", rate, \"--rows\", rows,",
            index % 7
        )?;
        writeln!(
            text,
            "    \"--mode\", mode, \"--table\", table, \"--note\", note, \"--label\", \"s{index}-{{mode}}\"]"
        )?;
    }
    writeln!(text, "}}")?;
    if index % 10 == 4 {
        writeln!(text, "\ngate g{index} on s{index}.table {{\n  require rows >= 10\n  require nulls(*) <= 5%\n}}")?;
    }
    Ok(())
}

/// Stages with an odd number may be looped, and then their output is read by leg.
fn even(index: usize) -> usize {
    index / 2 * 2
}
