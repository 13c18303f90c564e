// Renders a chart's templates for the tests, where there is no helm: Go's own text/template with the functions of sprig,
// which is what Helm is made of, and the three of Helm's own that the chart uses. What the templates see comes as JSON on
// standard input; each argument is a template. It is no Helm: no hooks, no dependencies, no releases.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
)

func main() {
	var seen map[string]interface{}
	check(json.NewDecoder(os.Stdin).Decode(&seen))
	chart := template.New("chart").Option("missingkey=zero")
	chart.Funcs(sprig.TxtFuncMap()).Funcs(helmFunctions(chart))
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		check(err)
		template.Must(chart.New(filepath.Base(path)).Parse(string(text)))
	}
	for _, path := range os.Args[1:] {
		name := filepath.Base(path)
		if strings.HasPrefix(name, "_") {
			continue
		}
		fmt.Printf("---\n# Source: %s\n", name)
		check(chart.ExecuteTemplate(os.Stdout, name, seen))
		fmt.Println()
	}
}

func helmFunctions(chart *template.Template) template.FuncMap {
	return template.FuncMap{
		"include": func(name string, data interface{}) (string, error) {
			var text strings.Builder
			err := chart.ExecuteTemplate(&text, name, data)
			return text.String(), err
		},
		"required": func(what string, value interface{}) (interface{}, error) {
			if value == nil || value == "" {
				return nil, fmt.Errorf("required: %s", what)
			}
			return value, nil
		},
		// As at a first installation, and as `helm template` has it.
		"lookup": func(...string) map[string]interface{} { return map[string]interface{}{} },
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
