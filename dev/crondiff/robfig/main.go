// Robfig says when a Kubernetes CronJob would run. It reads questions, one line of JSON each, and answers each with one line.
//
// It asks the library that CronJob asks (robfig/cron v3), in the way in which CronJob asks it, and adds nothing of its own.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

type question struct {
	Schedule string `json:"schedule"`
	TimeZone string `json:"timeZone"`
	After    int64  `json:"after"` // Unix seconds; so are Until and the slots.
	Until    int64  `json:"until"`
}

type answer struct {
	Slots   []int64 `json:"slots"`
	Refused string  `json:"refused,omitempty"` // Why there is no such CronJob.
}

func main() {
	questions, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var asked question
		if err := questions.Decode(&asked); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		if err := answers.Encode(reply(asked)); err != nil {
			log.Fatal(err)
		}
	}
}

func reply(asked question) answer {
	if err := admit(asked.Schedule); err != nil {
		return answer{Slots: []int64{}, Refused: err.Error()}
	}
	// The CronJob controller joins the two fields of the spec in this way.
	schedule, err := parse(fmt.Sprintf("TZ=%s %s", asked.TimeZone, asked.Schedule))
	if err != nil {
		return answer{Slots: []int64{}, Refused: err.Error()}
	}
	return answer{Slots: slots(schedule, asked)}
}

// admit says what the API server says of a new CronJob: the schedule is tried without its time zone.
func admit(schedule string) error {
	if strings.Contains(schedule, "TZ") {
		return errors.New("cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
	}
	_, err := parse(schedule)
	return err
}

// parse recovers from panics as Kubernetes does: the library panics at "TZ=0".
func parse(schedule string) (parsed cron.Schedule, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("invalid schedule format: %v", cause)
		}
	}()
	return cron.ParseStandard(schedule)
}

// slots goes from slot to slot, as the controller does, which asks for the next one after the last run.
//
// The library may answer with an earlier one, at which the controller would go round in a circle (so it is in
// Pacific/Chatham, at "5/15 3 * * *"). Then it is asked again from a minute later, until it goes on.
func slots(schedule cron.Schedule, asked question) []int64 {
	found := []int64{}
	last := time.Unix(asked.After, 0).UTC()
	from := last
	for {
		slot := schedule.Next(from)
		switch {
		case slot.IsZero() || slot.Unix() > asked.Until:
			return found
		case slot.After(last):
			found = append(found, slot.Unix())
			last, from = slot, slot
		default:
			from = from.Add(time.Minute)
		}
	}
}
