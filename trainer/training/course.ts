// The course of the loss in few numbers, however long the training: for who looks on.

const MOST = 120;

/** Means of the loss over as many steps each: twice as many each time that there are too many means. */
export class LossCourse {
  readonly #means: number[] = [];
  #span = 1;
  #sum = 0;
  #steps = 0;

  /** The oldest first, rounded; steps that do not fill a span yet are left out. */
  get means(): readonly number[] {
    return this.#means;
  }

  add(loss: number): void {
    this.#sum += loss;
    if (++this.#steps < this.#span) return;
    this.#means.push(short(this.#sum / this.#span));
    this.#sum = 0;
    this.#steps = 0;
    if (this.#means.length < MOST) return;
    const joined = Array.from({ length: MOST / 2 }, (_, i) =>
      short((this.#means[2 * i]! + this.#means[2 * i + 1]!) / 2),
    );
    this.#means.splice(0, MOST, ...joined);
    this.#span *= 2;
  }
}

/** As many digits as a curve shows. */
const short = (value: number): number => Number(value.toPrecision(5));
