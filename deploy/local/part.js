import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds until what died is started again, and that a start may take. */
const PAUSE = 500
const LONGEST_START = 30_000

/** Processes that run. None survives this one, but for a `kill -9` of it. */
const running = new Set()
process.on('exit', () => running.forEach(killAll))

/** The process and its own children: a killed nginx leaves workers that hold its port. */
function killAll ({ pid }) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {} // none is left
}

/** A process of the stack, which is started again when it ends by itself. */
export class Part {
  #child
  /** Settles when the process is gone, with the signal or the exit code. */
  #gone = Promise.resolve()
  /** Settles when it has been started again after its last death. */
  #returned = Promise.resolve()
  #wanted = false
  #settings

  /**
   * @param name what it is called
   * @param launch starts the process, in a process group of its own: a Ctrl-C of the terminal is not for it
   * @param answers whether it does its work now
   * @param log its file
   * @param say gets a line for what happens
   */
  constructor (settings) {
    this.#settings = settings
  }

  get name () { return this.#settings.name }
  get pid () { return this.#child?.pid }

  /** Starts it, and waits until it does its work. @throws {Error} when it does not */
  async start () {
    if (this.#wanted) return
    this.#settings.say(`starting ${this.name} …`)
    this.#wanted = true
    try {
      await this.#begin()
    } catch (error) {
      await this.stop('SIGKILL')
      throw error
    }
  }

  /** Ends it, and waits until it is gone. @returns its exit code, or the signal that ended it */
  async stop (signal = 'SIGTERM') {
    if (this.#wanted) this.#settings.say(`ending ${this.name} …`)
    this.#wanted = false
    this.#child?.kill(signal)
    await this.#returned
    return this.#gone
  }

  /** Lets it die, and waits until it has been started again. */
  async kill () {
    this.#child?.kill('SIGKILL')
    await this.#gone
    await this.#returned
  }

  /** Sends a message, and returns the answer. */
  async ask (question) {
    const answer = once(this.#child, 'message')
    this.#child.send(question)
    return (await answer)[0]
  }

  async #begin () {
    const child = this.#settings.launch()
    running.add(child)
    this.#child = child
    this.#gone = once(child, 'exit').then(([code, signal]) => {
      killAll(child)
      running.delete(child)
      return signal ?? code
    })
    await this.#working(child)
    this.#gone.then((how) => { if (this.#wanted) this.#returned = this.#again(how) })
  }

  async #again (how) {
    this.#settings.say(`${this.name} ended (${how}) and is started again …`)
    await sleep(PAUSE)
    while (this.#wanted) {
      try {
        await this.#begin()
        return this.#settings.say(`${this.name} is back, pid ${this.pid}`)
      } catch {
        this.#child.kill('SIGKILL')
        await sleep(PAUSE)
      }
    }
  }

  async #working (child) {
    for (const began = performance.now(); !await this.#settings.answers(); await sleep(20)) {
      const over = child.exitCode ?? child.signalCode
      if (over !== null || performance.now() - began > LONGEST_START) {
        const log = readFileSync(this.#settings.log, 'utf8').trimEnd().split('\n').slice(-10).join('\n')
        throw new Error(`${this.name} ${over === null ? 'does not answer' : `ended (${over})`}:\n${log}`)
      }
    }
  }
}
