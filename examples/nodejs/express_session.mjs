// Sessions that do not notice a failover: requests wait for the new primary, and no error is shown.
import express from 'express'
import session from 'express-session'
import { RedisStore } from 'connect-redis'
import { connect } from 'steadis'

// Saving a session twice does no harm, so a save whose answer was lost is sent again.
const client = connect({ retryWrites: 'always' })
client.on('hold', ({ what }) => console.log(`${what} calls wait for a primary`))
client.on('failover', ({ from, to, held }) => {
  if (from !== null) console.log(`the primary was ${from} and is ${to} now; ${held} calls have waited`)
})

const app = express()
app.use(session({
  store: new RedisStore({ client }),
  secret: process.env.SESSION_SECRET ?? 'only for this example',
  resave: false,
  saveUninitialized: false
}))
app.get('/', (request, response) => {
  request.session.views = (request.session.views ?? 0) + 1
  response.json({ views: request.session.views })
})
// No primary for longer than failoverTimeout: whoever asks again has lost nothing.
app.use((error, request, response, next) => {
  if (!error.retryable || response.headersSent) return next(error)
  response.status(503).set('Retry-After', '1').send(error.message)
})

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`listening on ${server.address().port}`)
})
process.on('SIGTERM', () => server.close(() => client.close()))
